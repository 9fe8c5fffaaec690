import type { Clock } from '../runtime/clock.ts';
import { errorMessage } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { Issuer, IssuerState } from './issuer.ts';

type ReadyState = Extract<IssuerState, { state: 'ready' }>;

/**
 * Shares of its life that an issuer has left when it is told that it nears its end. Whatever renews it does so at a
 * third (design of the local issuer, cert-manager, Vault); below that nobody does.
 */
const thresholds = [0.3, 0.1, 0.02];

/** How late a threshold may be noticed. */
const checkMs = 30_000;

export interface IssuerHealthOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Told what /ready shows as degraded, or `undefined` when all is well. */
  readonly degraded: (reason: string | undefined) => void;
  readonly signal: AbortSignal;
}

/** Watches an issuer until the signal is aborted: says early, and once per threshold, that its end comes near. */
export async function followIssuer(issuer: Issuer, options: IssuerHealthOptions): Promise<void> {
  const { clock, log, degraded, signal } = options;
  const seen: Seen = { state: undefined, passed: 0 };
  const look = (): void => {
    const state = issuer.state.value;
    tellChange(seen, state, log);
    const end = state.state === 'ready' ? nearEnd(state, clock.now()) : undefined;
    if (end !== undefined && end.passed > seen.passed) {
      log.warn({ ...end.fields }, 'the issuer nears its end and has not been renewed');
    }
    seen.passed = end?.passed ?? 0;
    degraded(reasonOf(state, end?.message));
  };
  const unsubscribe = issuer.state.subscribe(look);
  look();
  try {
    for (;;) {
      await clock.sleep(checkMs, signal);
      look();
    }
  } catch (error) {
    if (!signal.aborted) log.error({ reason: errorMessage(error) }, 'the issuer is no longer watched');
  } finally {
    unsubscribe();
  }
}

interface Seen {
  state: IssuerState | undefined;
  /** How many thresholds have been told. */
  passed: number;
}

function tellChange(seen: Seen, state: IssuerState, log: Log): void {
  const before = seen.state;
  seen.state = state;
  if (before?.state === state.state) return;
  if (state.state === 'ready') log.info({ until: state.notAfter }, 'the issuer can sign');
  else if (before !== undefined) log.error({ reason: state.reason }, 'the issuer cannot sign any more');
}

function reasonOf(state: IssuerState, end: string | undefined): string | undefined {
  if (state.state === 'unavailable') return state.reason;
  return (
    [outageText(state), state.degraded, end].filter((text) => text !== undefined).join('; ') || undefined
  );
}

/** The outage of an issuer in one line, for people. */
export function outageText({ outage, notAfter }: ReadyState): string | undefined {
  if (outage === undefined) return undefined;
  const { since, reason, standIn } = outage;
  const meanwhile =
    standIn === undefined
      ? 'nothing is signed meanwhile'
      : `${standIn} stands in for it until ${notAfter.toISOString()}`;
  return `the CA does not answer since ${since.toISOString()} (${reason}); ${meanwhile}`;
}

interface NearEnd {
  readonly passed: number;
  readonly message: string;
  readonly fields: object;
}

function nearEnd({ notBefore, notAfter, fingerprint }: ReadyState, now: Date): NearEnd | undefined {
  const left = (notAfter.getTime() - now.getTime()) / (notAfter.getTime() - notBefore.getTime());
  const passed = thresholds.filter((threshold) => left <= threshold).length;
  if (passed === 0) return undefined;
  const until = notAfter.toISOString();
  const seconds = Math.max(0, Math.round((notAfter.getTime() - now.getTime()) / 1000));
  return {
    passed,
    message: `the issuer ends at ${until}; replace it`,
    fields: { until, remainingSeconds: seconds, fingerprint },
  };
}
