import { errorCode, errorMessage, isAppError } from '../../runtime/errors.ts';
import type { AppError } from '../../runtime/errors.ts';
import { runtimeErrors } from '../../runtime/runtime-errors.ts';
import { proxyErrors } from '../errors.ts';

type Code = keyof typeof proxyErrors.codes;

/** What errors of Node and OpenSSL mean for a connection that is being made. */
const codes: Readonly<Record<string, Code>> = {
  ECONNREFUSED: 'connect_refused',
  ECONNRESET: 'connection_reset',
  EPIPE: 'connection_reset',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'mesh_tls_version',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'mesh_tls_version',
  ERR_SSL_WRONG_VERSION_NUMBER: 'mesh_tls_version',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'mesh_alpn',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'mesh_alpn',
};

/** Verdicts of OpenSSL on a chain (X509_V_ERR_...) as Node spells them. */
const chainVerdict =
  /^(UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|CERT_|CA_|INVALID_|PATH_|ERROR_IN_CERT|EE_|UNSUPPORTED_)/;

/** Why a connection to or from `what` was not made. Errors of our own pass as they are. */
export function connectFailure(cause: unknown, what: string): AppError {
  if (isAppError(cause)) return cause;
  const errno = errorCode(cause) ?? '';
  if (chainVerdict.test(errno)) return chainFailure(errno, what, cause);
  if (errno === 'EMFILE' || errno === 'ENFILE') return noDescriptors(what, cause);
  const code = codes[errno] ?? (errno.startsWith('ERR_SSL_') ? 'mesh_handshake_failed' : 'connect_failed');
  return proxyErrors.error(code, `expected a connection with ${what}, got: ${errorMessage(cause)}`, {
    cause,
  });
}

function noDescriptors(what: string, cause: unknown): AppError {
  const message = `expected a file descriptor for a connection with ${what}, got: ${errorMessage(cause)}`;
  return runtimeErrors.error('no_descriptors', message, { cause });
}

/** Why OpenSSL refuses a peer's certificates. */
export function chainFailure(verdict: string, what: string, cause?: unknown): AppError {
  const expired = verdict === 'CERT_HAS_EXPIRED' || verdict === 'CERT_NOT_YET_VALID';
  return proxyErrors.error(
    expired ? 'mesh_expired' : 'mesh_untrusted',
    `expected a certificate chain of our anchors from ${what}, got ${verdict}`,
    { cause },
  );
}

/** Why a connection that stood can no longer be read. */
export function readFailure(cause: Error | undefined): AppError {
  const got = cause === undefined ? 'a closed connection' : errorMessage(cause);
  return proxyErrors.error('connection_reset', `expected bytes, got ${got}`, { cause });
}
