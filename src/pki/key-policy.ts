import { pkiErrors } from './errors.ts';
import type { PublicKey } from './public-key.ts';

const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;

/** The only key a workload may have: P-256. Every proxy of the contract offers and accepts it (contract 3.1). */
export function checkLeafKey(key: PublicKey): void {
  if (key.algorithm !== 'EC P-256') {
    throw pkiErrors.error('key_not_allowed', `expected a workload key of EC P-256, got ${key.algorithm}`);
  }
}

/** True for keys whose signatures on certificates every proxy accepts. */
export function isCaKeyAllowed(key: PublicKey): boolean {
  if (key.kind === 'RSA') return key.bits >= MIN_RSA_BITS && key.bits <= MAX_RSA_BITS;
  return key.kind === 'Ed25519' || key.algorithm === 'EC P-256' || key.algorithm === 'EC P-384';
}

/** Throws `key_not_allowed` for keys a CA may not have. */
export function checkCaKey(key: PublicKey): void {
  if (!isCaKeyAllowed(key)) {
    throw pkiErrors.error(
      'key_not_allowed',
      `expected a CA key of EC P-256, EC P-384, Ed25519 or RSA of ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits, got ${key.algorithm}`,
    );
  }
}
