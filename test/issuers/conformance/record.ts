import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What came of a cell; one that was begun and not ended has failed. */
export type Outcome = 'passed' | 'failed' | 'n/a';

export interface CellRecord {
  readonly outcome: Outcome;
  /** Why a behaviour does not apply. */
  readonly reason?: string;
}

/** What came of a column in one run. */
export interface ColumnRecord {
  readonly column: string;
  readonly seenOn: string;
  readonly cells: Readonly<Partial<{ [row: string]: CellRecord }>>;
}

/** The directory that a run puts its records into, a file for each column; no records are kept where it is not set. */
export const recordVariable = 'KEDGE_CONFORMANCE_DIR';

/** Collects what comes of the cells of a column. */
export class Record {
  readonly #column: string;
  readonly #seenOn: string;
  readonly #cells = new Map<string, CellRecord>();

  constructor(column: string, seenOn: string) {
    this.#column = column;
    this.#seenOn = seenOn;
  }

  set(row: string, outcome: Outcome, reason?: string): void {
    this.#cells.set(row, { outcome, ...(reason !== undefined && { reason }) });
  }

  write(): void {
    const directory = process.env[recordVariable];
    if (directory === undefined || directory === '') return;
    mkdirSync(directory, { recursive: true });
    const record: ColumnRecord = {
      column: this.#column,
      seenOn: this.#seenOn,
      cells: Object.fromEntries(this.#cells),
    };
    const file = `${this.#column.replaceAll(/[^\w.]+/g, '-')}.json`;
    writeFileSync(path.join(directory, file), `${JSON.stringify(record, null, 2)}\n`);
  }
}

/** The records of a run, by column. */
export function readRecords(directory: string): ReadonlyMap<string, ColumnRecord> {
  const records = readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(path.join(directory, name), 'utf8')) as ColumnRecord);
  return new Map(records.map((record) => [record.column, record]));
}
