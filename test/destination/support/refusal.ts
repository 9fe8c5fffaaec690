import { isAppError } from '../../../src/runtime/errors.ts';

/** The code and the message with which something is refused; fails where it is not, or not by an error of ours. */
export function refusal(attempt: () => unknown): { code: string; message: string } {
  try {
    attempt();
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { code: error.code, message: error.message };
  }
  throw new TypeError('expected a refusal, got none');
}
