import { SecretWatch } from '../../support/secret-watch.ts';
import { behaviours, keepsSecrets } from './behaviours.ts';
import type { Column, IssuerUnderTest } from './column.ts';
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
        it.skip(`${row} (does not apply: ${reason})`, () => undefined);
        continue;
      }
      record.set(row, 'failed');
      it(
        row,
        async () => {
          const opened: IssuerUnderTest[] = [];
          try {
            await run({
              open: async (wish = {}) => {
                const subject = await column.open(wish);
                opened.push(subject);
                return subject;
              },
            });
          } finally {
            for (const subject of opened) await close(subject);
          }
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

async function close({ opened, close }: IssuerUnderTest): Promise<void> {
  await opened.end();
  await close();
}
