import assert from 'node:assert/strict';
import { DerReader, TAG } from '../../../src/pki/der.ts';
import { oid, sequence, setOf, text, tlv } from '../../../src/pki/der-writer.ts';
import { commonNameOf, encodeName, printName, readName } from '../../../src/pki/distinguished-name.ts';
import { changedDer } from '../mutate/change-der.ts';
import { readNodes } from '../mutate/der-tree.ts';
import { readOrRefuse } from '../read-or-refuse.ts';
import { fuzzTarget } from '../target.ts';

const attribute = (dotted: string, tag: number, value: string): Buffer =>
  sequence(oid(dotted), text(tag, value));
const commonName = '2.5.4.3';

const samples = [
  encodeName('web'),
  encodeName('#0c0161, "b"+<c>;=\\\n\u202e '),
  sequence(
    setOf(attribute('2.5.4.6', TAG.printableString, 'NO')),
    setOf(attribute('2.5.4.10', TAG.utf8String, 'Grünerløkka'), attribute('1.2.3.4', TAG.ia5String, 'b')),
    setOf(sequence(oid(commonName), tlv(TAG.bmpString, Buffer.from('\u1234a', 'utf16le')))),
    setOf(attribute(commonName, TAG.teletexString, 'a')),
    setOf(sequence(oid(commonName), tlv(TAG.octetString, Buffer.of(1, 2)))),
  ),
];

/** What is printed can be told apart again by its commas, and moves no terminal. */
export const distinguishedNameTarget = fuzzTarget<Buffer>({
  name: 'distinguished-name',
  file: 'pki/distinguished-name.ts',
  inputs: changedDer(...samples),
  check: (der) =>
    readOrRefuse(
      { codes: ['der_malformed'] },
      () => {
        const reader = new DerReader(der, 'name');
        const name = readName(reader, 'name');
        reader.end();
        return name;
      },
      (name) => {
        const printed = printName(name);
        assert.deepEqual(name.der, der);
        assert.doesNotMatch(printed, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        assert.equal(name.rdns.length, readNodes(der)?.[0]?.parts?.length);
        const parts = printed === '' ? [] : printed.split(/(?<!(?<!\\)(?:\\\\)*\\),/);
        assert.equal(parts.length, name.rdns.length, printed);
        assert.equal(commonNameOf(name) === undefined, !/(^|[,+])CN=/.test(printed.replaceAll(/\\./gs, '')));
      },
    ),
});
