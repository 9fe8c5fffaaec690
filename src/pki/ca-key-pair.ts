import type { KeyObject } from 'node:crypto';
import { Certificate } from './certificate.ts';
import { pkiErrors } from './errors.ts';
import { checkCaKey } from './key-policy.ts';
import { keyMatches, parsePrivateKey } from './keys.ts';

/** A CA that can sign here: its certificate, its private key, and the way up. */
export interface CaKeyPair {
  readonly certificate: Certificate;
  readonly key: KeyObject;
  /** Intermediates above `certificate`, nearest first, without the anchor; as a rule none. */
  readonly chain: readonly Certificate[];
}

/**
 * Puts a CA together and checks that it can sign: the key fits (`key_mismatch`), its algorithm is accepted
 * (`key_not_allowed`), the certificate is a CA for certificates (`ca_not_usable`). Trust is for `verifyChain` to decide.
 */
export function caKeyPair(certificates: readonly Certificate[], key: KeyObject): CaKeyPair {
  const [certificate, ...chain] = certificates;
  if (certificate === undefined)
    throw pkiErrors.error('ca_not_usable', 'expected a CA certificate, got none');
  if (!keyMatches(certificate, key)) {
    throw pkiErrors.error(
      'key_mismatch',
      `expected the private key of ${certificate.label}, got another key`,
    );
  }
  if (!certificate.isCa || certificate.keyUsage?.has('keyCertSign') === false) {
    const missing = certificate.isCa ? 'the key usage keyCertSign' : 'the CA flag';
    throw pkiErrors.error(
      'ca_not_usable',
      `expected a CA certificate, got ${certificate.label} without ${missing}`,
    );
  }
  checkCaKey(certificate.publicKey);
  return { certificate, key, chain };
}

/** The same from PEM: the CA's certificate first, then those above it. */
export function parseCaKeyPair(certificatesPem: string, keyPem: string): CaKeyPair {
  return caKeyPair(Certificate.parsePem(certificatesPem), parsePrivateKey(keyPem));
}
