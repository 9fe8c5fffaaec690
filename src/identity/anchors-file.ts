import { TrustBundle } from '../pki/trust-bundle.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { FileSource } from './file-source.ts';

/** The published trust anchors, in a mounted ConfigMap or a plain file. */
export function anchorsFile(path: string, clock: Clock, log: Log): FileSource<TrustBundle> {
  const parse = (text: string): TrustBundle => {
    const bundle = TrustBundle.parsePem(text);
    tellExpired(bundle, clock.now(), log);
    return bundle;
  };
  return new FileSource({ what: 'trust anchors', path, parse, clock, log });
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
