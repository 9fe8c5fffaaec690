import type fc from 'fast-check';

/** What became of one input: `accepted`, or the code it was refused with. */
export type Outcome = string;

export const accepted: Outcome = 'accepted';

/** One parser and what must hold for it, whatever comes. Defined once: `npm test` tries a few inputs, `npm run fuzz` very many. */
export interface FuzzTarget<T = unknown> {
  /** What it is called on the command line. */
  readonly name: string;
  /** Where the parser stands, under `src/`. */
  readonly file: string;
  readonly inputs: fc.Arbitrary<T>;
  /** Throws when the parser breaks its word. */
  check(input: T): Outcome | Promise<Outcome>;
  /** For a parser that takes bytes of a peer before the peer has proved anything: how to search it by coverage. */
  readonly explore?: Exploration;
}

/** A search through a parser that is led by the blocks of code its inputs reach. */
export interface Exploration {
  /** Files under `src/` whose blocks count. */
  readonly files: readonly string[];
  readonly seeds: readonly Buffer[];
  /** `der` changes whole elements and mends the lengths around them, beside what is done to plain bytes. */
  readonly shape: 'bytes' | 'der';
  /** The same promises as `check`, for bytes. */
  check(bytes: Buffer): Outcome;
}

/** Keeps the type of the inputs while a target is written, and lets one list hold targets of all types. */
export function fuzzTarget<T>(target: FuzzTarget<T>): FuzzTarget {
  return target;
}
