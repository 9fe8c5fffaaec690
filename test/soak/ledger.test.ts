import { WrongBytesError } from './frame.ts';
import { Ledger } from './ledger.ts';

describe('Ledger', () => {
  const ledger = (onFirst = (): void => undefined): Ledger => new Ledger(() => 1_000, onFirst);

  it('tells wrong bytes from failed requests, and both are faults', () => {
    let firsts = 0;
    const book = ledger(() => (firsts += 1));
    book.broken('short', new Error('read ECONNRESET'));
    book.broken('long', new WrongBytesError('expected silence, got 3 bytes'));
    expect(book.total).toEqual({ requests: 2, refused: 0, bytes: 0, failed: 1, wrong: 1, slowestMs: 0 });
    expect(book.faults).toEqual([
      { atMs: 1_000, of: 'short', what: 'read ECONNRESET' },
      { atMs: 1_000, of: 'long', what: 'expected silence, got 3 bytes' },
    ]);
    expect(firsts).toBe(1);
  });

  it('takes no refusal by policy for a fault', () => {
    const book = ledger();
    book.refused('gate');
    expect(book.counts.gate).toMatchObject({ requests: 1, refused: 1, failed: 0 });
    expect(book.faults).toEqual([]);
  });

  it('sees a change of endpoints in force when the last ten answers came from the new ones alone, and from each', () => {
    const book = ledger();
    const answer = (server: string, startedMs: number): void =>
      book.answered({ kind: 'short', server, startedMs, bytes: 1 });
    answer('s', 100);
    for (let time = 0; time < 9; time += 1) answer('n', 600);
    expect(book.answeredOnlyBy(new Set(['n']), 500)).toBe(false);
    answer('n', 600);
    expect(book.answeredOnlyBy(new Set(['n']), 500)).toBe(true);
    expect(book.answeredOnlyBy(new Set(['n', 's']), 500)).toBe(false);
    expect(book.answeredOnlyBy(new Set(['n']), 700)).toBe(false);
    answer('s', 700);
    expect(book.answeredOnlyBy(new Set(['n', 's']), 500)).toBe(true);
  });
});
