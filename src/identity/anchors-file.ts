import type { TrustBundle } from '../pki/trust-bundle.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { anchorsParser } from './anchors.ts';
import { FileSource } from './file-source.ts';

/** The published trust anchors, in a mounted ConfigMap or a plain file. */
export function anchorsFile(path: string, clock: Clock, log: Log): FileSource<TrustBundle> {
  return new FileSource({ what: 'trust anchors', path, parse: anchorsParser(clock, log), clock, log });
}
