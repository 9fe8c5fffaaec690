import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodePem, parsePem } from '../../../src/pki/pem.ts';
import { textsLike } from '../mutate/texts.ts';
import { readOrRefuse } from '../read-or-refuse.ts';
import { secretsOf } from '../samples/pem-secrets.ts';
import { fuzzTarget } from '../target.ts';

const words = [
  '-----BEGIN THING-----\n',
  '-----END THING-----\n',
  '-----BEGIN OTHER THING----- \r\n',
  '-----END OTHER THING-----',
  '-----BEGIN CERTIFICATE-----',
  'AQID\n',
  'AQI=\n',
  'Proc-Type: 4,ENCRYPTED\n\n',
  '# comment\n',
  '\n',
  ' ',
  '=',
];
const block = fc
  .tuple(
    fc.constantFrom('CERTIFICATE', 'EC PRIVATE KEY', 'A'),
    fc.uint8Array({ minLength: 1, maxLength: 120 }),
  )
  .map(([label, bytes]) => encodePem(label, bytes));

/** Blocks that are read are written and read as the same ones, and none is missed. */
export const pemTarget = fuzzTarget<string>({
  name: 'pem',
  file: 'pki/pem.ts',
  inputs: fc
    .array(fc.oneof(block, textsLike([encodePem('THING', Buffer.alloc(70, 1))], words)), { maxLength: 3 })
    .map((parts) => parts.join('')),
  check: (text) =>
    readOrRefuse(
      { codes: ['pem_malformed'], secrets: secretsOf(text) },
      () => parsePem(text),
      (blocks) => {
        const plain = blocks.filter(({ encrypted }) => !encrypted);
        const again = parsePem(plain.map(({ label, der }) => encodePem(label, der)).join(''));
        assert.deepEqual(again, plain);
        const begins = text
          .split('\n')
          .filter((line) => /^-----BEGIN [A-Z0-9][A-Z0-9 ]{0,63}-----[ \t]*\r?$/.test(line));
        assert.equal(blocks.length, begins.length);
      },
    ),
});
