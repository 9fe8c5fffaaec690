/** One round of a comparison: both sides measured right after one another, so that both saw the same machine. */
export interface Round {
  readonly ours: number;
  readonly peer: number;
}

/** One line of the report: what was measured, against whom, round by round. */
export interface Comparison {
  /** For example `bulk, 1 connection`. */
  readonly measure: string;
  /** For example `haproxy`. */
  readonly against: string;
  /** Of both values, for example `MB/s`. */
  readonly unit: string;
  readonly rounds: readonly Round[];
  /** What the ratio, or for `difference` ours less theirs, is to reach or not to pass; none where it is only reported. */
  readonly floor?: { readonly at: 'least' | 'most'; readonly value: number };
  /** How the two are compared; a ratio unless said. */
  readonly as?: 'ratio' | 'difference';
}

/** A comparison that this machine cannot make. */
export interface Missing {
  readonly measure: string;
  /** One line: what is missing, and the command that brings it. */
  readonly lacks: string;
}

export interface BenchOptions {
  /** How many rounds to measure; a warm-up comes before them where one is needed. */
  readonly rounds: number;
  /** Tells whoever waits what is being measured now. */
  readonly progress: (line: string) => void;
  /** Aborted when the benchmark is to end: everything that was started is ended. */
  readonly signal: AbortSignal;
}

/** A part of the benchmark: what belongs together and shares its processes. */
export interface BenchPart {
  readonly name: string;
  readonly run: (options: BenchOptions) => Promise<(Comparison | Missing)[]>;
}
