import fc from 'fast-check';
import { quoted } from '../../src/runtime/quoted.ts';

describe('quoted', () => {
  it.each([
    ['plain', '"plain"'],
    ['', '""'],
    ['a "b" \\c', '"a \\"b\\" \\\\c"'],
    ['line\nand\ttab\r', '"line\\nand\\ttab\\r"'],
    ['\u0000\u001b[31m\u007f', '"\\u{0}\\u{1b}[31m\\u{7f}"'],
    ['abc\u202edef\u2028\ufeff', '"abc\\u{202e}def\\u{2028}\\u{feff}"'],
    ['grüße 🛳', '"grüße 🛳"'],
    ['x'.repeat(81), `"${'x'.repeat(80)}..." (81 characters)`],
  ])('shows %j on one line', (text, shown) => {
    expect(quoted(text)).toBe(shown);
  });

  it('never lets a control character through and is never long', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(quoted(text)).toMatch(/^"[^\p{C}]*"( \(\d+ characters\))?$/u);
        expect(quoted(text).length).toBeLessThan(800);
      }),
      { numRuns: 300 },
    );
  });
});
