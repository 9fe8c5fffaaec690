import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { PublicKey } from '../../../src/pki/public-key.ts';
import { changedDer } from '../mutate/change-der.ts';
import { readOrRefuse } from '../read-or-refuse.ts';
import { ed25519, mersenneRsa, p256 } from '../samples/fixed-keys.ts';
import { fuzzTarget } from '../target.ts';

const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
  secp224r1: 'P-224',
};

const samples = [p256('key'), ed25519('key'), mersenneRsa()].map(({ publicKey }) =>
  publicKey.export({ type: 'spki', format: 'der' }),
);

/** A key is what OpenSSL says it is, and one that cannot be used verifies nothing instead of failing. */
export const publicKeyTarget = fuzzTarget<Buffer>({
  name: 'public-key',
  file: 'pki/public-key.ts',
  inputs: changedDer(...samples),
  check: (spki) =>
    readOrRefuse(
      { codes: ['der_malformed'] },
      () => PublicKey.parse(spki),
      (key) => {
        assert.deepEqual(key.spki, spki);
        assert.ok(
          key.bits >= 0 && key.bits > 0 === (key.kind !== 'unknown'),
          `${key.algorithm} of ${key.bits} bits`,
        );
        assert.equal(key.verify('sha256', Buffer.from('data'), Buffer.alloc(64)), false);
        agreesWithOpenSsl(key);
      },
    ),
});

function agreesWithOpenSsl(key: PublicKey): void {
  const other = readByOpenSsl(key.spki);
  if (other === undefined || key.kind === 'unknown') return;
  const { modulusLength, namedCurve } = other.asymmetricKeyDetails ?? {};
  const shape = {
    rsa: `RSA ${modulusLength ?? ''}`,
    ec: `EC ${CURVES[namedCurve ?? ''] ?? namedCurve ?? ''}`,
    ed25519: 'Ed25519',
  } as const;
  assert.equal(key.algorithm, shape[other.asymmetricKeyType as keyof typeof shape]);
}

function readByOpenSsl(spki: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}
