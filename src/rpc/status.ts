import { Metadata, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';

import { isAppError } from '../runtime/errors.ts';
import type { AppError, ErrorKind } from '../runtime/errors.ts';
import { durationMs, durationOf } from './duration.ts';
import { rpcErrors } from './errors.ts';
import { RetryInfo, Status } from './gen/google/rpc/status.ts';
import { encode } from './method.ts';

/** The error code a status of the other side becomes here. */
type RemoteCode = Extract<keyof typeof rpcErrors.codes, `rpc_${string}`>;

/** Every gRPC status: its name in metrics (as Go's client library spells it) and what it becomes at the caller. */
const statuses: Readonly<Record<number, { readonly label: string; readonly code: RemoteCode }>> = {
  [status.OK]: { label: 'OK', code: 'rpc_unknown' },
  [status.CANCELLED]: { label: 'Canceled', code: 'rpc_cancelled' },
  [status.UNKNOWN]: { label: 'Unknown', code: 'rpc_unknown' },
  [status.INVALID_ARGUMENT]: { label: 'InvalidArgument', code: 'rpc_invalid_argument' },
  [status.DEADLINE_EXCEEDED]: { label: 'DeadlineExceeded', code: 'rpc_deadline_exceeded' },
  [status.NOT_FOUND]: { label: 'NotFound', code: 'rpc_not_found' },
  [status.ALREADY_EXISTS]: { label: 'AlreadyExists', code: 'rpc_unknown' },
  [status.PERMISSION_DENIED]: { label: 'PermissionDenied', code: 'rpc_permission_denied' },
  [status.RESOURCE_EXHAUSTED]: { label: 'ResourceExhausted', code: 'rpc_resource_exhausted' },
  [status.FAILED_PRECONDITION]: { label: 'FailedPrecondition', code: 'rpc_failed_precondition' },
  [status.ABORTED]: { label: 'Aborted', code: 'rpc_unavailable' },
  [status.OUT_OF_RANGE]: { label: 'OutOfRange', code: 'rpc_unknown' },
  [status.UNIMPLEMENTED]: { label: 'Unimplemented', code: 'rpc_unimplemented' },
  [status.INTERNAL]: { label: 'Internal', code: 'rpc_internal' },
  [status.UNAVAILABLE]: { label: 'Unavailable', code: 'rpc_unavailable' },
  [status.DATA_LOSS]: { label: 'DataLoss', code: 'rpc_internal' },
  [status.UNAUTHENTICATED]: { label: 'Unauthenticated', code: 'rpc_unauthenticated' },
};

/** The status each kind of our errors is answered with. */
const statusOfKind: Readonly<Record<ErrorKind, status>> = {
  invalid_argument: status.INVALID_ARGUMENT,
  deadline_exceeded: status.DEADLINE_EXCEEDED,
  not_found: status.NOT_FOUND,
  permission_denied: status.PERMISSION_DENIED,
  resource_exhausted: status.RESOURCE_EXHAUSTED,
  failed_precondition: status.FAILED_PRECONDITION,
  internal: status.INTERNAL,
  unavailable: status.UNAVAILABLE,
  unauthenticated: status.UNAUTHENTICATED,
  cancelled: status.CANCELLED,
};

const DETAILS_TRAILER = 'grpc-status-details-bin';
const RETRY_INFO_TYPE = 'type.googleapis.com/google.rpc.RetryInfo';

/** A status as grpc-js sends it. */
export interface SentStatus {
  readonly code: status;
  readonly details: string;
  readonly metadata?: Metadata;
}

/** A status as grpc-js receives it. */
export interface ReceivedStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata?: Metadata;
}

/** The name of a status code in metrics. */
export function statusLabel(code: number): string {
  return statuses[code]?.label ?? 'Unknown';
}

/**
 * What a caller is told of an error. One of ours keeps its message, and a hint when to come back travels as a
 * `google.rpc.RetryInfo`; of anything else, which is a fault of this process, nothing is told.
 */
export function toStatus(error: unknown): SentStatus {
  if (!isAppError(error)) {
    return { code: status.INTERNAL, details: 'internal error; see the log of the server' };
  }
  const code = statusOfKind[error.kind];
  if (error.retryAfterMs === undefined) return { code, details: error.message };
  const metadata = new Metadata();
  metadata.set(DETAILS_TRAILER, retryDetails(code, error.message, error.retryAfterMs));
  return { code, details: error.message, metadata };
}

/** The error a caller sees: its code stands for the status, its message is the server's. */
export function fromStatus(error: ReceivedStatus): AppError {
  const code = statuses[error.code]?.code ?? 'rpc_unknown';
  const retryAfterMs = readRetryAfter(error.metadata);
  const message = error.details === '' ? `the other side answered ${statusLabel(error.code)}` : error.details;
  return rpcErrors.error(code, message, {
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Distinguishes what grpc-js rejects with from faults of our own. */
export function isServiceError(error: unknown): error is ServiceError {
  return Error.isError(error) && 'details' in error && typeof (error as ServiceError).code === 'number';
}

function retryDetails(code: number, message: string, retryAfterMs: number): Buffer {
  const value = encode(RetryInfo, { retryDelay: durationOf(retryAfterMs) });
  return encode(Status, { code, message, details: [{ typeUrl: RETRY_INFO_TYPE, value }] });
}

/** Advice only: a trailer that cannot be read is no advice. */
function readRetryAfter(metadata: Metadata | undefined): number | undefined {
  const trailer = metadata?.get(DETAILS_TRAILER)[0];
  if (!Buffer.isBuffer(trailer)) return undefined;
  try {
    const info = Status.decode(trailer).details.find(({ typeUrl }) => typeUrl === RETRY_INFO_TYPE);
    return info === undefined ? undefined : durationMs(RetryInfo.decode(info.value).retryDelay);
  } catch {
    return undefined;
  }
}
