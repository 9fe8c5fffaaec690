import type { Clock } from '../../runtime/clock.ts';
import type { Counter, Metrics } from '../../runtime/metrics.ts';

export interface VaultMetrics {
  readonly logins: Counter<'result'>;
  /** A token was taken or renewed, which is good for this many milliseconds from now. */
  readonly tellLease: (leaseMs: number) => void;
}

export function vaultMetrics(metrics: Metrics, clock: Clock): VaultMetrics {
  let endsMs: number | undefined;
  metrics.gauge(
    'kedge_vault_token_ttl_seconds',
    'Seconds that the token of Vault is good for unless it is renewed; 0 while there is none.',
    [],
    (gauge) => gauge.set(endsMs === undefined ? 0 : Math.max(0, (endsMs - clock.now().getTime()) / 1000)),
  );
  return {
    logins: metrics.counter('kedge_vault_logins_total', 'Log-ins to Vault, by result (ok, failed).', [
      'result',
    ]),
    tellLease: (leaseMs) => {
      endsMs = clock.now().getTime() + leaseMs;
    },
  };
}
