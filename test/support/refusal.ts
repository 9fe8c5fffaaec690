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
