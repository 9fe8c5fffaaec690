import type { KeyObject } from 'node:crypto';
import { randomBytes } from 'node:crypto';
import type { CaKeyPair } from './ca-key-pair.ts';
import { caKeyPair } from './ca-key-pair.ts';
import { Certificate } from './certificate.ts';
import { context } from './der.ts';
import { octetString, sequence, text, tlv } from './der-writer.ts';
import { encodeName } from './distinguished-name.ts';
import { pkiErrors } from './errors.ts';
import { GENERAL_NAME } from './general-names.ts';
import { checkCaKey } from './key-policy.ts';
import { generateKeyPair } from './keys.ts';
import { OID } from './oids.ts';
import { PublicKey } from './public-key.ts';
import {
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  X509CertificateGenerator,
} from './x509.ts';

/** A new CA is valid from a little before it was made, for readers whose clock is behind. */
const BACKDATE_MS = 5 * 60_000;

const SERIAL_BYTES = 16;

export interface AnchorOptions {
  readonly commonName: string;
  readonly lifetimeMs: number;
  readonly now: Date;
  /** Private key; a new P-256 key when left out. */
  readonly key?: KeyObject;
}

/** Makes a self-signed trust anchor, which may sign certificates and revocation lists and nothing else. */
export async function createAnchor({ commonName, lifetimeMs, now, key }: AnchorOptions): Promise<CaKeyPair> {
  const privateKey = key ?? generateKeyPair().privateKey;
  const publicKey = PublicKey.of(privateKey);
  const certificate = await signCa({
    subject: encodeName(commonName),
    issuer: encodeName(commonName),
    publicKey,
    signer: { key: privateKey, publicKey, keyId: publicKey.keyId },
    notBefore: new Date(now.getTime() - BACKDATE_MS),
    notAfter: new Date(now.getTime() + lifetimeMs),
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  });
  return caKeyPair([certificate], privateKey);
}

export interface IntermediateOptions {
  readonly issuer: CaKeyPair;
  readonly publicKey: PublicKey;
  readonly commonName: string;
  /** CAs allowed below it; 0 for one that signs workloads only. */
  readonly pathLength: number;
  readonly notBefore: Date;
  /** Cut to the end of the issuer: beyond it no chain would hold. */
  readonly notAfter: Date;
  /** Limits the DNS names below it to these domains; a critical extension, understood by every proxy of the contract. */
  readonly permittedDns?: readonly string[];
}

/** Signs a CA below another one. Throws `key_not_allowed` for a key no proxy would accept signatures of. */
export async function createIntermediate(options: IntermediateOptions): Promise<Certificate> {
  const { issuer, publicKey, commonName, notBefore, notAfter, permittedDns = [] } = options;
  checkCaKey(publicKey);
  const { certificate } = issuer;
  const extensions = [new BasicConstraintsExtension(true, options.pathLength, true)];
  const constraints = permittedDns.length > 0 ? [nameConstraints(permittedDns)] : [];
  return signCa({
    subject: encodeName(commonName),
    issuer: certificate.subjectDer,
    publicKey,
    signer: {
      key: issuer.key,
      publicKey: certificate.publicKey,
      keyId: certificate.subjectKeyId ?? certificate.publicKey.keyId,
    },
    notBefore,
    notAfter: new Date(Math.min(notAfter.getTime(), certificate.notAfter.getTime())),
    extensions: [...extensions, ...constraints],
  });
}

interface CaToSign {
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly publicKey: PublicKey;
  readonly signer: { readonly key: KeyObject; readonly publicKey: PublicKey; readonly keyId: Buffer };
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly Extension[];
}

async function signCa(ca: CaToSign): Promise<Certificate> {
  const algorithm = webCryptoAlgorithm(ca.signer.publicKey);
  const serial = randomBytes(SERIAL_BYTES + 1);
  serial[0] = 1;
  const made = await X509CertificateGenerator.create({
    serialNumber: serial.toString('hex'),
    // As DER, not as text: an issuer name written in another string type would not match.
    subject: new Name(ca.subject),
    issuer: new Name(ca.issuer),
    notBefore: wholeSeconds(ca.notBefore),
    notAfter: wholeSeconds(ca.notAfter),
    publicKey: ca.publicKey.spki,
    signingKey: ca.signer.key.toCryptoKey(algorithm, false, ['sign']),
    signingAlgorithm: algorithm,
    extensions: [
      ...ca.extensions,
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      new Extension(OID.subjectKeyIdentifier, false, octetString(ca.publicKey.keyId)),
      new Extension(OID.authorityKeyIdentifier, false, sequence(tlv(context(0, false), ca.signer.keyId))),
    ],
  });
  return Certificate.parse(new Uint8Array(made.rawData));
}

function nameConstraints(permittedDns: readonly string[]): Extension {
  const subtrees = permittedDns.map((domain) => sequence(text(GENERAL_NAME.dns, domain)));
  return new Extension(OID.nameConstraints, true, sequence(tlv(context(0, true), ...subtrees)));
}

/** The WebCrypto name of what `signingAlgorithm` chooses. */
function webCryptoAlgorithm(key: PublicKey): { name: string; namedCurve?: string; hash?: string } {
  if (key.algorithm === 'EC P-256') return { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  if (key.algorithm === 'EC P-384') return { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' };
  if (key.kind === 'RSA') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  if (key.kind === 'Ed25519') return { name: 'Ed25519' };
  throw pkiErrors.error(
    'key_not_allowed',
    `expected a CA key of P-256, P-384, Ed25519 or RSA, got ${key.algorithm}`,
  );
}

/** A certificate holds whole seconds; a fraction would be lost on the way and compare unequal. */
function wholeSeconds(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}
