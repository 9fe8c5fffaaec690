import { parseYamlText } from '../../../src/destination/file/yaml-text.ts';
import { refusal } from '../../support/refusal.ts';

describe('a destination file of any bytes', () => {
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
