import { readVaultAnchor } from '../issuers/vault/vault-anchor.ts';
import type { VaultConfig } from '../issuers/vault/connect-vault.ts';
import type { TrustBundle } from '../pki/trust-bundle.ts';
import { retry } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorMessage } from '../runtime/errors.ts';
import { LatestValue } from '../runtime/latest.ts';
import type { Log } from '../runtime/log.ts';
import type { Source } from './last-good.ts';

export interface VaultAnchorsNeeds {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export const vaultRetryPolicy = { minMs: 1_000, maxMs: 30_000 };

/** The trust anchor that Vault shows, for the life of this process: read until it was there once, and never again. */
export function vaultAnchors(
  config: VaultConfig,
  { clock, log, signal }: VaultAnchorsNeeds,
): Source<TrustBundle> {
  const current = new LatestValue<TrustBundle | undefined>(undefined);
  const problem = new LatestValue<string | undefined>(undefined);
  const onFailure = (error: unknown): void => {
    const reason = errorMessage(error);
    if (reason !== problem.value) log.error({ reason }, 'no trust anchor could be taken from Vault');
    problem.set(reason);
  };
  const attempt = (either: AbortSignal): Promise<TrustBundle> =>
    readVaultAnchor(config, { clock, log }, either);
  retry(attempt, { policy: vaultRetryPolicy, clock, signal, onFailure }).then(
    (bundle) => {
      problem.set(undefined);
      current.set(bundle);
    },
    (error: unknown) => {
      if (!signal.aborted) throw error;
    },
  );
  return { current, problem };
}
