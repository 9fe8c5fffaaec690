import { bundleKey } from '../../issuers/own-ca/ca-objects.ts';
import type { DataObject } from '../../issuers/own-ca/settle-object.ts';
import type { Collection } from '../../kube/collection.ts';
import type { TrustBundle } from '../../pki/trust-bundle.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { anchorsParser } from '../anchors.ts';
import { identityErrors } from '../errors.ts';
import { LastGood, type Source } from '../last-good.ts';

/** What is kept of a ConfigMap: the bundle in it; empty where there is none. */
export function bundleTextOf({ data }: DataObject, key = bundleKey): string {
  return data?.[key] ?? '';
}

export interface AnchorsConfigMapOptions {
  /** The bundles of ConfigMaps, by `namespace/name`. */
  readonly bundles: Collection<string>;
  readonly key: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The published trust anchors in a ConfigMap, which is followed until the signal is aborted. */
export function anchorsConfigMap(options: AnchorsConfigMapOptions, signal: AbortSignal): Source<TrustBundle> {
  const { bundles, key, clock, log } = options;
  const where = { configMap: key };
  const anchors = new LastGood({ what: 'trust anchors', where, parse: anchorsParser(clock, log), log });
  const look = (): void => {
    const text = bundles.get(key);
    if (text !== undefined) anchors.take(text);
    // Before everything has been seen once, one that is not known may be there.
    else if (bundles.synced.value) anchors.refuse(notThere(key));
  };
  const stops = [
    bundles.subscribe((changes) => {
      if (changes.some((change) => change.key === key)) look();
    }),
    bundles.synced.subscribe(() => {
      if (bundles.get(key) === undefined) look();
    }),
  ];
  signal.addEventListener('abort', () => stops.forEach((stop) => stop()), { once: true });
  look();
  return anchors;
}

function notThere(key: string): Error {
  return identityErrors.error('anchors_missing', `expected the ConfigMap ${key}, found none`);
}
