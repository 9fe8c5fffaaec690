import type { IssuerState } from '../../issuers/issuer.ts';
import type { ObjectReference } from '../../kube/event-series.ts';
import type { Latest } from '../../runtime/latest.ts';
import type { Recorder } from './issuance-events.ts';

/** Events of the issuer, in the words of the contract (1.7), on this service. Returns how to stop. */
export function tellIssuerEvents(
  issuer: Latest<IssuerState>,
  recorder: Recorder,
  regarding: ObjectReference,
): () => void {
  let before = issuer.value;
  const tell = (type: 'Normal' | 'Warning', reason: string, note: string): void =>
    recorder.record({ regarding, type, reason, action: 'Reload', note });
  return issuer.subscribe((state) => {
    const earlier = before;
    before = state;
    if (state.state === 'unavailable') {
      tell('Warning', 'IssuerValidationFailed', `no issuer can sign: ${state.reason}`);
      return;
    }
    if (earlier.state === 'unavailable' || earlier.fingerprint !== state.fingerprint) {
      const name = state.fingerprint ?? 'an issuer';
      tell('Normal', 'IssuerUpdated', `signing with ${name} until ${state.notAfter.toISOString()}`);
    }
    if (state.degraded !== undefined && !('degraded' in earlier && earlier.degraded === state.degraded)) {
      tell('Warning', 'IssuerUpdateSkipped', `the issuer of before stays in use: ${state.degraded}`);
    }
  });
}
