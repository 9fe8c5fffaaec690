import { errorMessage } from '../../src/runtime/errors.ts';
import { WrongBytesError } from './frame.ts';

/** `gate` is the client whose port policy opens and shuts: a refusal in its time is what it is there for. */
export const kinds = ['short', 'half-closed', 'slow', 'long', 'gate'] as const;
export type Kind = (typeof kinds)[number];

export interface Counts {
  requests: number;
  /** Of those, the ones that policy was to refuse, and did. */
  refused: number;
  bytes: number;
  failed: number;
  wrong: number;
  /** The longest time that an answer took. */
  slowestMs: number;
}

const noCounts = (): Counts => ({ requests: 0, refused: 0, bytes: 0, failed: 0, wrong: 0, slowestMs: 0 });

function together(a: Counts, b: Counts): Counts {
  return {
    requests: a.requests + b.requests,
    refused: a.refused + b.refused,
    bytes: a.bytes + b.bytes,
    failed: a.failed + b.failed,
    wrong: a.wrong + b.wrong,
    slowestMs: Math.max(a.slowestMs, b.slowestMs),
  };
}

/** Something that must not happen. */
export interface Fault {
  readonly atMs: number;
  /** Whose: a kind of request, a process, or `mesh`. */
  readonly of: string;
  readonly what: string;
}

/** A request that was answered in full. */
export interface Answered {
  readonly kind: Kind;
  readonly server: string;
  readonly startedMs: number;
  readonly bytes: number;
}

const keptAnswers = 10;

/** Everything that the soak has seen, as it happened. Times are milliseconds since its start. */
export class Ledger {
  readonly counts: Readonly<Record<Kind, Counts>>;
  readonly faults: Fault[] = [];
  /** Requests that ended on an endpoint which had been taken out meanwhile. */
  drained = 0;
  #recent: Answered[] = [];
  readonly #elapsed: () => number;
  readonly #onFirst: () => void;

  /** `onFirst` is called with the first fault, while the logs still end with what led to it. */
  constructor(elapsed: () => number, onFirst: () => void) {
    this.#elapsed = elapsed;
    this.#onFirst = onFirst;
    this.counts = Object.fromEntries(kinds.map((kind) => [kind, noCounts()])) as Record<Kind, Counts>;
  }

  get nowMs(): number {
    return this.#elapsed();
  }

  /** The counts of all kinds together. */
  get total(): Counts {
    return Object.values(this.counts).reduce(together, noCounts());
  }

  answered(answer: Answered): void {
    const counts = this.counts[answer.kind];
    counts.requests += 1;
    counts.bytes += answer.bytes;
    counts.slowestMs = Math.max(counts.slowestMs, this.nowMs - answer.startedMs);
    // The balancer chooses for new connections of one service; the others always lead to the same server.
    if (answer.kind === 'short' || answer.kind === 'half-closed')
      this.#recent = [...this.#recent, answer].slice(-keptAnswers);
  }

  refused(kind: Kind): void {
    this.counts[kind].requests += 1;
    this.counts[kind].refused += 1;
  }

  broken(kind: Kind, error: unknown): void {
    const counts = this.counts[kind];
    counts.requests += 1;
    if (error instanceof WrongBytesError) counts.wrong += 1;
    else counts.failed += 1;
    this.fault(kind, errorMessage(error));
  }

  fault(of: string, what: string): void {
    if (this.faults.length === 0) this.#onFirst();
    this.faults.push({ atMs: this.nowMs, of, what });
  }

  /** Whether the last requests were all begun after `sinceMs` and answered by these servers, each by at least one. */
  answeredOnlyBy(servers: ReadonlySet<string>, sinceMs: number): boolean {
    const seen = new Set(this.#recent.map(({ server }) => server));
    return (
      this.#recent.length === keptAnswers &&
      this.#recent.every(({ startedMs }) => startedMs > sinceMs) &&
      seen.symmetricDifference(servers).size === 0
    );
  }
}
