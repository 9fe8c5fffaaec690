import type { Faults, IssuerUnderTest, Wish } from './column.ts';

/** What a behaviour is looked at with. */
export interface Cell {
  /** An issuer on a CA as wished for; it ends with the cell. */
  readonly open: (wish?: Wish) => Promise<IssuerUnderTest>;
}

/** One thing that every issuer does, in every mode: a row of the table. */
export interface Behaviour {
  /** A sentence about an issuer, without its subject. */
  readonly name: string;
  readonly run: (cell: Cell) => Promise<void>;
}

/** A fault that the column promises to have, as it does not say that it cannot. */
export function fault<K extends keyof Faults>({ faults }: IssuerUnderTest, name: K): NonNullable<Faults[K]> {
  const found = faults[name];
  if (found === undefined) throw new TypeError(`expected the column to have the fault "${name}"`);
  return found;
}
