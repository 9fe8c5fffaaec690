import { errorMessage, isAppError, type AppError } from '../../runtime/errors.ts';
import type { WatchedCall } from './circuit-breaker.ts';

/** Tells the breaker what a failure says of the CA. One that refuses, for good or for now, is there; who went away says nothing. */
export function judgeCall(call: WatchedCall, error: unknown): void {
  const kind = isAppError(error) ? error.kind : undefined;
  if (kind === 'unavailable' || kind === 'deadline_exceeded') call.failed(errorMessage(error));
  else if (kind === 'failed_precondition' || asksForLess(error)) call.succeeded();
  else call.dropped();
}

/** Whether the CA refuses only because it is asked too much at present. */
export function asksForLess(error: unknown): error is AppError {
  return isAppError(error) && error.kind === 'resource_exhausted';
}
