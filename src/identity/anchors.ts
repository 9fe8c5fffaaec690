import { TrustBundle } from '../pki/trust-bundle.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';

/** Reads the published trust anchors, and tells of those that have ended. */
export function anchorsParser(clock: Clock, log: Log): (text: string) => TrustBundle {
  return (text) => {
    const bundle = TrustBundle.parsePem(text);
    tellExpired(bundle, clock.now(), log);
    return bundle;
  };
}

/** An anchor past its end verifies nothing, but a bundle may carry it beside others until it is taken out. */
function tellExpired(bundle: TrustBundle, now: Date, log: Log): void {
  for (const { label, fingerprint, notAfter } of bundle.anchors) {
    if (notAfter >= now) continue;
    log.warn(
      { anchor: label, fingerprint, ended: notAfter },
      'a trust anchor has ended; take it out of the bundle',
    );
  }
}
