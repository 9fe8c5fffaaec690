import type { AppError } from '../runtime/errors.ts';
import { errorCode, errorMessage } from '../runtime/errors.ts';
import { quoted } from '../runtime/quoted.ts';
import { kubeErrors } from './errors.ts';

type Code = keyof typeof kubeErrors.codes;

/** The parts of the API server's `Status` that matter. */
interface Status {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
}

const codes: Readonly<Record<number, Code>> = {
  400: 'kube_invalid',
  401: 'kube_unauthenticated',
  403: 'kube_forbidden',
  404: 'kube_not_found',
  // What cert-manager's webhook refuses with.
  406: 'kube_invalid',
  409: 'kube_conflict',
  410: 'kube_expired',
  413: 'kube_invalid',
  422: 'kube_invalid',
  429: 'kube_throttled',
};

/** The error for an answer that is none of 2xx. `what` is the request, such as `list pods`. */
export function answerError(what: string, status: number, body: string, retryAfter?: string): AppError {
  const said = statusOf(body);
  return statusError(what, { ...said, code: status }, Number(retryAfter ?? 'none') * 1000);
}

/** The error for a `Status`, which a watch may give as its last event. */
export function statusError(what: string, status: unknown, retryAfterMs = Number.NaN): AppError {
  const { code = 500, reason, message, details } = (status ?? {}) as Status;
  const name = reason === 'AlreadyExists' ? 'kube_exists' : (codes[code] ?? unknownCode(code));
  const waitMs = Number.isFinite(retryAfterMs) ? retryAfterMs : (details?.retryAfterSeconds ?? 0) * 1000;
  const text = message === undefined ? '' : `: ${short(message)}`;
  return kubeErrors.error(name, `${what}: the API server answered ${code}${text}`, {
    ...(waitMs > 0 && { retryAfterMs: waitMs }),
  });
}

/** Codes of OpenSSL and Node that mean that somebody else answered, or nobody who can prove to be the API server. */
const untrusted = /^(ERR_TLS_CERT|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY)_)/;

/** The error for a request that got no answer, or only a part of one. */
export function connectionError(what: string, host: string, cause: unknown): AppError {
  const reason = errorCode(cause) ?? errorMessage(cause);
  const code = untrusted.test(reason) ? 'kube_untrusted' : 'kube_unreachable';
  return kubeErrors.error(code, `${what}: expected an answer of the API server at ${host}, got ${reason}`, {
    cause,
  });
}

function unknownCode(status: number): Code {
  return status >= 500 ? 'kube_unavailable' : 'kube_answer_invalid';
}

function statusOf(body: string): Status {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** Messages name objects, users and rules, and may be as long as a webhook likes. */
function short(message: string): string {
  return message.length <= 300 && /^[\x20-\x7e]*$/.test(message) ? message : quoted(message);
}
