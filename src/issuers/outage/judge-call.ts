import { errorCode, errorMessage, isAppError, type AppError } from '../../runtime/errors.ts';
import type { certManagerErrors } from '../cert-manager/errors.ts';
import type { WatchedCall } from './circuit-breaker.ts';

/** Proxies wait no longer than identity would, and began before it: who gives up after such a share of the time tells of the CA. */
const shareInVain = 0.4;

/** A failure of one request, and a limit of our own, behind which nobody has asked the CA. */
const saysNothing: readonly (keyof typeof certManagerErrors.codes)[] = [
  'certificate_request_failed',
  'certificate_requests_full',
];

/**
 * Tells the breaker what a failure says of the CA. One that refuses, for good or for now, is there; who soon went away says nothing.
 *
 * @param gaveUpAfter the share of the time for an answer that the CA had when the caller gave up, 0 where it did not
 */
export function judgeCall(call: WatchedCall, error: unknown, gaveUpAfter: number): void {
  const kind = isAppError(error) ? error.kind : undefined;
  if (saysNothing.some((code) => code === errorCode(error))) call.dropped();
  else if (kind === 'unavailable' || kind === 'deadline_exceeded') call.failed(errorMessage(error));
  else if (gaveUpAfter >= shareInVain)
    call.failed('expected an answer before the workload gave up, got none');
  else if (kind === 'failed_precondition' || asksForLess(error)) call.succeeded();
  else call.dropped();
}

/** Whether it was refused only because the CA is asked too much at present. */
export function asksForLess(error: unknown): error is AppError {
  return isAppError(error) && error.kind === 'resource_exhausted';
}
