import { errorMessage } from '../../runtime/errors.ts';
import { quoted } from '../../runtime/quoted.ts';
import { identityErrors } from '../errors.ts';
import { parseUniqueJson } from './unique-json.ts';

export interface ServiceAccountName {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Which ServiceAccount a token's subject speaks for; a subject that is not here speaks for none. */
export type SubjectMap = ReadonlyMap<string, ServiceAccountName>;

/**
 * Reads `{"<subject>": "<namespace>/<service account>", ...}`; several subjects may speak for one ServiceAccount.
 *
 * @param check throws where the two parts cannot be a workload's name in this mesh
 * @throws AppError `subjects_malformed`
 */
export function parseSubjectMap(text: string, check: (name: ServiceAccountName) => void): SubjectMap {
  const parsed = parseTable(text);
  const subjects = new Map<string, ServiceAccountName>();
  for (const [subject, value] of Object.entries(parsed)) {
    if (subject === '') throw malformed('a subject for each line', 'an empty one');
    subjects.set(subject, readName(subject, value, check));
  }
  return subjects;
}

function parseTable(text: string): object {
  let parsed: unknown;
  try {
    parsed = parseUniqueJson(text);
  } catch (cause) {
    // It quotes what it read.
    throw malformed('JSON', quoted(errorMessage(cause)));
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  throw malformed('a JSON object', 'another JSON value');
}

function readName(
  subject: string,
  value: unknown,
  check: (name: ServiceAccountName) => void,
): ServiceAccountName {
  const [namespace = '', serviceAccount = '', more] = typeof value === 'string' ? value.split('/') : [];
  const name = { namespace, serviceAccount };
  try {
    if (more !== undefined) throw new RangeError('got more than one slash');
    check(name);
    return name;
  } catch (cause) {
    throw malformed(`"namespace/serviceaccount" for ${quoted(subject)}`, errorMessage(cause));
  }
}

function malformed(expected: string, got: string): Error {
  return identityErrors.error('subjects_malformed', `expected ${expected}: ${got}`);
}
