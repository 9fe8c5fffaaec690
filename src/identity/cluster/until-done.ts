import type { BackoffPolicy } from '../../runtime/backoff.ts';
import { retry } from '../../runtime/backoff.ts';
import { errorMessage } from '../../runtime/errors.ts';
import type { ClusterNeeds } from './cluster.ts';

/** What is tried, and who is told while it fails. */
export interface Attempted {
  /** Degraded until it is done. */
  readonly part: string;
  /** What the log says once for each reason. */
  readonly failed: string;
  readonly policy: BackoffPolicy;
}

/** Tries until it is done, and says why it is not; rejects when the signal is aborted. */
export async function untilDone(
  { part, failed, policy }: Attempted,
  attempt: (signal: AbortSignal) => Promise<unknown>,
  { clock, log, health, signal }: Pick<ClusterNeeds, 'clock' | 'log' | 'health' | 'signal'>,
): Promise<void> {
  let told: string | undefined;
  await retry(attempt, {
    policy,
    clock,
    signal,
    onFailure: (error) => {
      const reason = errorMessage(error);
      if (reason === told) return;
      told = reason;
      health.degraded(part, reason);
      log.error({ reason }, failed);
    },
  });
  health.degraded(part, undefined);
}
