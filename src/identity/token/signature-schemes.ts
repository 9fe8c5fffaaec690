import { constants, type VerifyKeyObjectInput } from 'node:crypto';

/** How one algorithm signs, as node:crypto takes it. */
export interface SignatureScheme {
  /** `undefined` where the algorithm brings its own. */
  readonly digest?: string;
  readonly options?: Omit<VerifyKeyObjectInput, 'key'>;
}

const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants;
/** The two numbers one behind the other (RFC 7518, section 3.4), where certificates have them in DER. */
const dsaEncoding = 'ieee-p1363';

/**
 * Asymmetric signatures only (RFC 7518, section 3.1; RFC 8037): with `none` or an HMAC, knowing the public key would be enough
 * to forge a token. Which key fits which is for the key set to say.
 */
export const signatureSchemes: Readonly<Record<string, SignatureScheme>> = {
  RS256: { digest: 'sha256' },
  RS384: { digest: 'sha384' },
  RS512: { digest: 'sha512' },
  PS256: { digest: 'sha256', options: { padding, saltLength } },
  PS384: { digest: 'sha384', options: { padding, saltLength } },
  PS512: { digest: 'sha512', options: { padding, saltLength } },
  ES256: { digest: 'sha256', options: { dsaEncoding } },
  ES384: { digest: 'sha384', options: { dsaEncoding } },
  ES512: { digest: 'sha512', options: { dsaEncoding } },
  EdDSA: {},
  Ed25519: {},
};

export const signatureAlgorithms: readonly string[] = Object.keys(signatureSchemes);
