import { isAppError } from '../../runtime/errors.ts';
import { cliErrors } from '../errors.ts';

/** Runs a step on the content of a file; what is wrong with the content is told with the file's name. */
export function inFile<T>(file: string, step: () => T): T {
  try {
    return step();
  } catch (cause) {
    if (!isAppError(cause)) throw cause;
    throw cliErrors.error('bootstrap_conflict', `${file}: ${cause.message}`, { cause });
  }
}
