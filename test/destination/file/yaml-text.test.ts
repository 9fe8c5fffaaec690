import * as fc from 'fast-check';
import { parseYamlText } from '../../../src/destination/file/yaml-text.ts';
import { problemsOf } from '../support/mesh.ts';
import { refusal } from '../../support/refusal.ts';
import { shopFile } from '../support/shop-file.ts';

describe('a destination file of any bytes', () => {
  it('is read or refused as a file, never anything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        for (const line of problemsOf(text))
          expect(line).toMatch(/^(line \d+, column \d+: .*expected |and \d+ more$)/);
      }),
      { numRuns: 200 },
    );
  });

  it('is read or refused as a file when a good one was damaged', () => {
    const place = fc.nat({ max: shopFile.length });
    const damage = fc.oneof(
      fc.string({ maxLength: 5 }),
      fc.constantFrom('[', '{', ':', '*a', '&a ', '!x ', '\t', '"', '0'),
    );
    fc.assert(
      fc.property(place, fc.nat({ max: 20 }), damage, (at, cut, insert) => {
        for (const line of problemsOf(shopFile.slice(0, at) + insert + shopFile.slice(at + cut))) {
          expect(line).toMatch(/^(line \d+, column \d+: .*expected |and \d+ more$)/);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('is refused when it is not UTF-8', () => {
    expect(refusal(() => parseYamlText(Uint8Array.of(0x61, 0xff)))).toBe(
      'file_invalid: line 1, column 1: expected text in UTF-8, got other bytes',
    );
  });

  it('is refused when it is too large to be meant', () => {
    expect(refusal(() => parseYamlText(new Uint8Array(16 * 1024 * 1024 + 1)))).toBe(
      'file_invalid: line 1, column 1: expected at most 16777216 bytes, got 16777217',
    );
  });

  it('may start with a byte order mark', () => {
    expect(parseYamlText(Buffer.from('\uFEFFnodes: {}')).value).toEqual({ nodes: {} });
  });
});
