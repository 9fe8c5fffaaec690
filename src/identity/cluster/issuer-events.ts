import { outageText } from '../../issuers/issuer-health.ts';
import type { IssuerState } from '../../issuers/issuer.ts';
import type { ObjectReference } from '../../kube/event-series.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Latest } from '../../runtime/latest.ts';
import type { Recorder } from './issuance-events.ts';

type ReadyState = Extract<IssuerState, { state: 'ready' }>;

/** How long a start may take until an issuer is there: read, or made. */
const startMs = 10_000;

/**
 * Events of the issuer, in the words of the contract (1.7), on this service; that none is there yet is one only where it
 * lasts. Returns how to stop.
 */
export function tellIssuerEvents(
  issuer: Latest<IssuerState>,
  recorder: Recorder,
  regarding: ObjectReference,
  clock: Clock,
): () => void {
  let before = issuer.value;
  let starting = true;
  const tell = (type: 'Normal' | 'Warning', reason: string, note: string): void =>
    recorder.record({ regarding, type, reason, action: 'Reload', note });
  const look = (state: IssuerState): void => {
    const earlier = before;
    before = state;
    if (state.state === 'unavailable') {
      if (!starting) tell('Warning', 'IssuerValidationFailed', `no issuer can sign: ${state.reason}`);
      return;
    }
    starting = false;
    if (earlier.state === 'unavailable' || earlier.fingerprint !== state.fingerprint) {
      const name = state.fingerprint ?? 'an issuer';
      tell('Normal', 'IssuerUpdated', `signing with ${name} until ${state.notAfter.toISOString()}`);
    }
    tellOutage(earlier, state);
    // One that has just come is none of before, whatever was wrong until then.
    if (earlier.state === 'ready' && state.degraded !== undefined && state.degraded !== earlier.degraded) {
      tell('Warning', 'IssuerUpdateSkipped', `the issuer of before stays in use: ${state.degraded}`);
    }
  };
  const tellOutage = (earlier: IssuerState, state: ReadyState): void => {
    const { outage } = state;
    const was = earlier.state === 'ready' ? earlier.outage : undefined;
    if (outage?.since.getTime() === was?.since.getTime() && outage?.standIn === was?.standIn) return;
    if (outage === undefined) tell('Normal', 'IssuerAvailable', 'the CA answers again');
    else tell('Warning', 'IssuerUnavailable', outageText(state) ?? '');
  };
  const unsubscribe = issuer.subscribe(look);
  const settled = clock.after(startMs, () => {
    if (!starting) return;
    starting = false;
    look(issuer.value);
  });
  return () => {
    settled.cancel();
    unsubscribe();
  };
}
