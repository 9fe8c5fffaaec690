import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodePrivateKey, parsePrivateKey } from '../../../src/pki/keys.ts';
import { encodePem } from '../../../src/pki/pem.ts';
import { changedText } from '../mutate/change-bytes.ts';
import { changedDer } from '../mutate/change-der.ts';
import { readOrRefuse } from '../read-or-refuse.ts';
import { ed25519, mersenneRsa, p256 } from '../samples/fixed-keys.ts';
import { secretsOf } from '../samples/pem-secrets.ts';
import { fuzzTarget } from '../target.ts';

const LABELS = [
  'PRIVATE KEY',
  'EC PRIVATE KEY',
  'RSA PRIVATE KEY',
  'ENCRYPTED PRIVATE KEY',
  'CERTIFICATE',
  'X',
];

const [ec, ed, rsa] = [p256('key').privateKey, ed25519('key').privateKey, mersenneRsa().privateKey];
const ders = [
  ec.export({ type: 'pkcs8', format: 'der' }),
  ec.export({ type: 'sec1', format: 'der' }),
  ed.export({ type: 'pkcs8', format: 'der' }),
  rsa.export({ type: 'pkcs1', format: 'der' }),
];
const pems = [
  encodePrivateKey(ec),
  `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${encodePem('EC PRIVATE KEY', ders[1]!)}`,
  `-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END EC PRIVATE KEY-----\n`,
];

/** A key that is read is written and read as the same one; a refusal holds no piece of what was given. */
export const privateKeyTarget = fuzzTarget<string>({
  name: 'private-key',
  file: 'pki/keys.ts',
  inputs: fc.oneof(
    fc.tuple(fc.constantFrom(...LABELS), changedDer(...ders)).map(([label, der]) => encodePem(label, der)),
    changedText(...pems),
  ),
  check: (pem) =>
    readOrRefuse(
      { codes: ['pem_malformed', 'private_key_malformed'], secrets: secretsOf(pem) },
      () => parsePrivateKey(pem),
      (key) => {
        assert.equal(key.type, 'private');
        assert.ok(parsePrivateKey(encodePrivateKey(key)).equals(key));
      },
    ),
});
