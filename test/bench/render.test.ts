import { PassThrough } from 'node:stream';
import { render } from '../../bench/render.ts';
import { paint } from '../../src/cli/table.ts';

const plain = paint(new PassThrough());

describe('the report of the benchmark', () => {
  it('has a line for each comparison and says which floor was missed', () => {
    const text = render(
      [
        {
          measure: 'bulk',
          against: 'haproxy',
          unit: 'MB/s',
          rounds: [
            { ours: 300, peer: 500 },
            { ours: 200, peer: 500 },
          ],
          floor: { at: 'least', value: 0.55 },
        },
        {
          measure: 'memory',
          against: 'bare node',
          unit: 'MB',
          rounds: [{ ours: 81.25, peer: 42 }],
          as: 'difference',
        },
      ],
      plain,
    );
    expect(text.split('\n').map((line) => line.replace(/ {2,}/g, ' | '))).toEqual([
      'measure | against | ours | theirs | unit | median | spread | floor',
      'bulk | haproxy | 250 | 500 | MB/s | 0.50 | 0.40 to 0.60 | ≥ 0.55 | within 15 %',
      'memory | bare node | 81.3 | 42.0 | MB | +39.3 | +39.3 to +39.3',
      '',
    ]);
  });

  it('names what could not be measured and how to get what it needs', () => {
    const missing = { measure: 'the data path', lacks: 'no haproxy: apt-get install haproxy' };
    expect(render([missing], plain)).toBe(
      'not measured: the data path: no haproxy: apt-get install haproxy\n',
    );
  });
});
