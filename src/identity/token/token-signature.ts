import { verify, type KeyObject } from 'node:crypto';
import { errors as jose } from 'jose';
import { errorCode } from '../../runtime/errors.ts';
import { identityErrors } from '../errors.ts';
import type { CompactToken } from './compact-token.ts';
import type { KeySet } from './key-set.ts';
import { signatureSchemes } from './signature-schemes.ts';

/**
 * Verifies in this thread: handing the work to another one costs as much as the signature itself.
 *
 * @throws AppError `token_refused`
 */
export async function checkSignature(token: CompactToken, keys: KeySet): Promise<void> {
  const expected = 'expected a signature by a published key of the issuer, got';
  let key: KeyObject;
  try {
    key = await keys.keyFor(token.algorithm, token.keyId);
  } catch (error) {
    throw identityErrors.error('token_refused', `${expected} ${keyFault(error)}`);
  }
  if (isSigned(token, key)) return;
  throw identityErrors.error('token_refused', `${expected} one that does not verify`);
}

function isSigned({ text, algorithm }: CompactToken, key: KeyObject): boolean {
  const scheme = signatureSchemes[algorithm];
  if (scheme === undefined) return false;
  const end = text.lastIndexOf('.');
  const signed = Buffer.from(text.slice(0, end), 'latin1');
  const signature = Buffer.from(text.slice(end + 1), 'base64url');
  return verify(scheme.digest, signed, { ...scheme.options, key }, signature);
}

const keyFaults: Readonly<Record<string, string>> = {
  [jose.JWKSNoMatchingKey.code]: 'a key id and an algorithm that no key has together',
  [jose.JWKSMultipleMatchingKeys.code]: 'no key id, while there are several keys',
};

function keyFault(error: unknown): string {
  return keyFaults[errorCode(error) ?? ''] ?? 'one that cannot be verified';
}
