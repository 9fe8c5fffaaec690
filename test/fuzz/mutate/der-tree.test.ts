import { certificates } from '../samples/certificates.ts';
import { honestRequest } from '../samples/requests.ts';
import { allNodes, readNodes, writeNodes } from './der-tree.ts';

describe('DER as a tree', () => {
  it.each([...certificates, honestRequest].map((der, i) => [i, der] as const))(
    'is written as it was read: sample %i',
    (_, der) => {
      expect(writeNodes(readNodes(der) ?? [])).toEqual(der);
    },
  );

  it('goes into the strings in which extensions and keys are wrapped', () => {
    const tags = allNodes(readNodes(certificates[3]!) ?? []).map(({ tag, parts }) => [
      tag,
      parts !== undefined,
    ]);
    expect(tags).toContainEqual([0x04, true]);
    expect(tags).toContainEqual([0x03, true]);
  });

  it.each(['30', '3001', '3080', '308101', '1f0100', '0000', '020100ff'])('is none in %s', (hex) => {
    expect(readNodes(Buffer.from(hex, 'hex'))).toBeUndefined();
  });
});
