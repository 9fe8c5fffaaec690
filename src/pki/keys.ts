import type { KeyObject } from 'node:crypto';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { Certificate } from './certificate.ts';
import { pkiErrors } from './errors.ts';
import type { PemBlock } from './pem.ts';
import { encodePem, parsePem } from './pem.ts';
import { PublicKey } from './public-key.ts';

/** The DER inside each PEM label that holds an unencrypted private key. */
const KEY_FORMATS: Readonly<Record<string, 'pkcs8' | 'sec1' | 'pkcs1'>> = {
  'PRIVATE KEY': 'pkcs8',
  'EC PRIVATE KEY': 'sec1',
  'RSA PRIVATE KEY': 'pkcs1',
};

/** What to do about blocks people give by mistake. */
const ADVICE: Readonly<Record<string, string>> = {
  'ENCRYPTED PRIVATE KEY':
    'an encrypted private key; decrypt it with `openssl pkcs8 -in key.pem -out plain.pem`',
  'OPENSSH PRIVATE KEY': 'an OpenSSH key; convert it with `ssh-keygen -p -m PKCS8 -f key`',
  'PUBLIC KEY': 'a public key; give the private key it was made from',
  'RSA PUBLIC KEY': 'a public key; give the private key it was made from',
  CERTIFICATE: 'a certificate; give the private key that belongs to it',
  'CERTIFICATE REQUEST': 'a signing request; give the private key it was made with',
};

/** `openssl ecparam -genkey` writes this block in front of the key; it says nothing the key does not. */
const IGNORED_LABEL = 'EC PARAMETERS';

/**
 * Reads one unencrypted private key from PEM: PKCS #8, SEC1 or PKCS #1. Throws `private_key_malformed` with what was
 * given instead and how to convert it; never with anything of the key.
 */
export function parsePrivateKey(pem: string): KeyObject {
  const blocks = parsePem(pem).filter((block) => block.label !== IGNORED_LABEL);
  const [block] = blocks;
  if (block === undefined || blocks.length > 1) {
    throw malformed(blocks.length === 0 ? 'no PEM block' : `${blocks.length} PEM blocks`);
  }
  const type = KEY_FORMATS[block.label];
  if (block.encrypted)
    throw malformed(`an encrypted private key; decrypt it with \`openssl pkey -in key.pem -out plain.pem\``);
  if (type === undefined) throw malformed(ADVICE[block.label] ?? `a block ${block.label}`);
  return decode(block, type);
}

/** A new P-256 pair, for a workload or a CA. */
export function generateKeyPair(): { privateKey: KeyObject; publicKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** A private key as unencrypted PKCS #8 PEM, for a file only its owner may read. */
export function encodePrivateKey(key: KeyObject): string {
  return encodePem('PRIVATE KEY', key.export({ type: 'pkcs8', format: 'der' }));
}

/** True when the certificate was made for this private key. */
export function keyMatches(certificate: Certificate, key: KeyObject): boolean {
  return PublicKey.of(key).equals(certificate.publicKey);
}

function decode(block: PemBlock, type: 'pkcs8' | 'sec1' | 'pkcs1'): KeyObject {
  const key = tryDecode(block.der, type);
  // OpenSSL takes either of the two old forms under the label of the other.
  const fits = type === 'pkcs8' || key?.asymmetricKeyType === (type === 'sec1' ? 'ec' : 'rsa');
  if (key === undefined || !fits) throw malformed(`a block ${block.label} that is not one`);
  return key;
}

function tryDecode(der: Buffer, type: 'pkcs8' | 'sec1' | 'pkcs1'): KeyObject | undefined {
  try {
    const key = createPrivateKey({ key: der, format: 'der', type });
    // OpenSSL takes numbers that do not fit the curve, and fails when they are used.
    key.export({ type: 'pkcs8', format: 'der' });
    return key;
  } catch {
    // OpenSSL's own message is left out: it may speak of the bytes.
    return undefined;
  }
}

function malformed(got: string): Error {
  return pkiErrors.error(
    'private_key_malformed',
    `expected one unencrypted private key in PEM (PKCS #8, SEC1 or PKCS #1), got ${got}`,
  );
}
