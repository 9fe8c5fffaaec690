import { isAppError } from '../../src/runtime/errors.ts';

/** Runs something that must be refused and gives `code: message` of the refusal; any other error passes through. */
export function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (!isAppError(error)) throw error;
    return `${error.code}: ${error.message}`;
  }
  throw new Error('expected a refusal, got an answer');
}

/** The same for a promise. */
export async function refusalOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (!isAppError(error)) throw error;
    return `${error.code}: ${error.message}`;
  }
  throw new Error('expected a refusal, got an answer');
}

/** What a parser may do with hostile bytes: read them, or refuse them with an error of ours. Anything else is thrown. */
export function readOrRefuse<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!isAppError(error)) throw error;
    return undefined;
  }
}
