import type { MeshDomain } from '../../pki/workload-identity.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { FileSource } from '../file-source.ts';
import { parseSubjectMap, type SubjectMap } from './subject-map.ts';

/** The table of token subjects in a watched file; a name that this mesh cannot give is refused when it is read. */
export function subjectsFile(
  path: string,
  domain: MeshDomain,
  clock: Clock,
  log: Log,
): FileSource<SubjectMap> {
  const parse = (text: string): SubjectMap =>
    parseSubjectMap(text, (name) => void domain.identity(name.namespace, name.serviceAccount));
  return new FileSource({ what: 'token subjects', path, parse, clock, log });
}
