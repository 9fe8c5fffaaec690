import { SecretWatch } from '../../support/secret-watch.ts';
import { behaviours, keepsSecrets } from './behaviours.ts';
import type { Column, End, IssuerUnderTest, Wish } from './column.ts';
import { Record } from './record.ts';

/** A real CA takes its time where other things run. */
const cellWithinMs = 120_000;

/** What a column is opened with: its secrets and outputs go there. */
export type ColumnOf = (watch: SecretWatch) => Column;

/** A test for each behaviour, and what came of each in a file, where the run asks for one. */
export function conformance(columnOf: ColumnOf): void {
  const watch = new SecretWatch();
  const column = columnOf(watch);
  const { name, seenOn } = column;
  const cannot: Readonly<Partial<{ [row: string]: string }>> = column.cannot;
  const record = new Record(name, seenOn);

  describe(`the ${name} issuer, on ${seenOn},`, () => {
    for (const { name: row, run } of behaviours) {
      const reason = cannot[row];
      if (reason !== undefined) {
        record.set(row, 'n/a', reason);
        continue;
      }
      record.set(row, 'failed');
      it(
        row,
        async () => {
          const subjects = new Subjects(column);
          const failure = await run({ open: (wish) => subjects.open(wish) }).then(
            () => undefined,
            (error: unknown) => ({ error }),
          );
          // What the ending of a cell that has failed runs into says less than what it failed by.
          await subjects.close().catch((error: unknown) => {
            throw failure?.error ?? error;
          });
          if (failure) throw failure.error;
          record.set(row, 'passed');
        },
        cellWithinMs,
      );
    }

    record.set(keepsSecrets, 'failed');
    it(keepsSecrets, () => {
      expect(watch.size.secrets).toBeGreaterThan(0);
      expect(watch.size.outputs).toBeGreaterThan(0);
      expect(watch.leaks()).toEqual([]);
      record.set(keepsSecrets, 'passed');
    });

    afterAll(() => record.write());
  });
}

/** The issuers of one cell, with the faults that were begun and not ended. */
class Subjects {
  readonly #column: Column;
  readonly #closers: End[] = [];

  constructor(column: Column) {
    this.#column = column;
  }

  async open(wish: Wish = {}): Promise<IssuerUnderTest> {
    const { opened, faults, close } = await this.#column.open(wish);
    this.#closers.push(close, () => opened.end());
    if (wish.empty !== true) await opened.ready();
    const { silence, takeAway } = faults;
    return {
      opened,
      faults: {
        ...faults,
        ...(silence && { silence: () => this.#once(silence) }),
        ...(takeAway && { takeAway: () => this.#once(takeAway) }),
      },
      close,
    };
  }

  /** The last first. */
  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).toReversed()) await close();
  }

  async #once(begin: () => Promise<End>): Promise<End> {
    const end = await begin();
    let ended = false;
    const endOnce = async (): Promise<void> => {
      if (ended) return;
      ended = true;
      await end();
    };
    this.#closers.push(endOnce);
    return endOnce;
  }
}
