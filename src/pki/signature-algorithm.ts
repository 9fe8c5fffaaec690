import type { DerReader } from './der.ts';
import { TAG } from './der.ts';
import { checkNull, readOid } from './der-values.ts';
import { oid, sequence, tlv } from './der-writer.ts';
import type { KeyKind, PublicKey } from './public-key.ts';
import { pkiErrors } from './errors.ts';
import { OID } from './oids.ts';

/** How a certificate or request is signed. `kind` and `digest` are undefined for algorithms that are never accepted. */
export interface SignatureAlgorithm {
  /** `ecdsa-with-SHA256` and the like; the dotted OID when unknown. */
  readonly name: string;
  readonly kind: KeyKind | undefined;
  readonly digest: string | undefined;
  /** The AlgorithmIdentifier in DER. */
  readonly der: Buffer;
}

interface Known {
  readonly name: string;
  readonly kind: KeyKind;
  readonly digest: string | undefined;
  /** ECDSA and Ed25519 carry no parameters (RFC 5758 3.2, RFC 8410 3); RSA carries NULL (RFC 4055 5). */
  readonly nullParameters: boolean;
}

const KNOWN: Readonly<Record<string, Known>> = {
  [OID.ecdsaSha256]: { name: 'ecdsa-with-SHA256', kind: 'EC', digest: 'sha256', nullParameters: false },
  [OID.ecdsaSha384]: { name: 'ecdsa-with-SHA384', kind: 'EC', digest: 'sha384', nullParameters: false },
  [OID.ecdsaSha512]: { name: 'ecdsa-with-SHA512', kind: 'EC', digest: 'sha512', nullParameters: false },
  [OID.rsaSha256]: { name: 'sha256WithRSAEncryption', kind: 'RSA', digest: 'sha256', nullParameters: true },
  [OID.rsaSha384]: { name: 'sha384WithRSAEncryption', kind: 'RSA', digest: 'sha384', nullParameters: true },
  [OID.rsaSha512]: { name: 'sha512WithRSAEncryption', kind: 'RSA', digest: 'sha512', nullParameters: true },
  [OID.ed25519]: { name: 'Ed25519', kind: 'Ed25519', digest: undefined, nullParameters: false },
};

/** Names of algorithms that are refused, for the message. */
const REFUSED: Readonly<Record<string, string>> = {
  [OID.rsaPss]: 'RSA-PSS',
  '1.2.840.113549.1.1.4': 'md5WithRSAEncryption',
  '1.2.840.113549.1.1.5': 'sha1WithRSAEncryption',
  '1.2.840.10045.4.1': 'ecdsa-with-SHA1',
  '1.3.101.113': 'Ed448',
};

/** Reads the next element as an AlgorithmIdentifier. Unknown ones are read too, so that a refusal can name them. */
export function readSignatureAlgorithm(reader: DerReader): SignatureAlgorithm {
  const element = reader.element(TAG.sequence, 'signature algorithm');
  const inner = reader.into(element, 'signature algorithm');
  const dotted = readOid(inner.element(TAG.oid, 'signature algorithm OID'));
  const parameters = inner.done ? undefined : inner.any();
  if (parameters?.tag === TAG.null) checkNull(parameters);
  inner.end();
  const known = KNOWN[dotted];
  const wellFormed = known?.nullParameters === true ? parameters?.tag === TAG.null : parameters === undefined;
  if (known === undefined || !wellFormed) {
    const name = known === undefined ? (REFUSED[dotted] ?? dotted) : `${known.name} with wrong parameters`;
    return { name, kind: undefined, digest: undefined, der: element.tlv };
  }
  return { name: known.name, kind: known.kind, digest: known.digest, der: element.tlv };
}

/** The algorithm a CA key signs with: SHA-256, but SHA-384 for P-384. Throws `key_not_allowed` for a key that cannot sign. */
export function signingAlgorithm(key: PublicKey): SignatureAlgorithm {
  const dotted = signingOid(key);
  const known = dotted === undefined ? undefined : KNOWN[dotted];
  if (dotted === undefined || known === undefined) {
    throw pkiErrors.error(
      'key_not_allowed',
      `expected a CA key of P-256, P-384, Ed25519 or RSA, got ${key.algorithm}`,
    );
  }
  const parameters = known.nullParameters ? [tlv(TAG.null)] : [];
  return {
    name: known.name,
    kind: known.kind,
    digest: known.digest,
    der: sequence(oid(dotted), ...parameters),
  };
}

function signingOid(key: PublicKey): string | undefined {
  if (key.algorithm === 'EC P-256') return OID.ecdsaSha256;
  if (key.algorithm === 'EC P-384') return OID.ecdsaSha384;
  if (key.kind === 'RSA') return OID.rsaSha256;
  return key.kind === 'Ed25519' ? OID.ed25519 : undefined;
}
