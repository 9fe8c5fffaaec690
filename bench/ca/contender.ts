import type { Started } from '../processes/processes.ts';

/** A server of certificates, with all that a load needs to know of it. */
export interface Contender {
  readonly process: Started;
  readonly url: string;
  readonly headers: readonly string[];
  readonly bodyFile: string;
  /** Writes a fresh request to the file. What it gives checks, after a load, that this many certificates were made. */
  readonly prepare: () => Promise<(requests: number) => Promise<void>>;
}
