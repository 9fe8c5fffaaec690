import type { AppError } from '../../runtime/errors.ts';
import { vaultErrors } from './errors.ts';
import { reasonOf } from './reason.ts';

/** An answer that is not what was asked for. */
export interface RefusedAnswer {
  /** What was called, for the message: `pki/sign/kedge`. */
  readonly path: string;
  readonly status: number;
  readonly body: unknown;
  /** The header, as it came. */
  readonly retryAfter: string | undefined;
  /** The call was to log in. */
  readonly login: boolean;
}

type Code = keyof typeof vaultErrors.codes;

/** Longest wait that is believed of a server. */
const maxRetryAfterMs = 300_000;

/** The error for an answer by its status; a reason that the server gave is quoted, cut and without what it was sent. */
export function refusedAnswer(answer: RefusedAnswer): AppError {
  const { path, status } = answer;
  const reason = reasonOf(answer.body);
  const code = codeOf(answer, reason ?? '');
  const message = `expected Vault to answer ${path}, got status ${status}${reason === undefined ? '' : `: ${reason}`}`;
  const retryAfterMs = retryAfterMsOf(answer.retryAfter);
  return vaultErrors.error(code, message, retryAfterMs === undefined ? {} : { retryAfterMs });
}

/** The first that fits counts: some servers say by their reason what others say by the status. */
const rules: readonly { readonly status: RegExp; readonly reason: RegExp; readonly code: Code }[] = [
  { status: /^(404|405)$/, reason: /^/, code: 'vault_path_missing' },
  {
    status: /^400$/,
    reason: /unknown role|unable to find (PKI )?issuer|no handler for route|unsupported path/i,
    code: 'vault_path_missing',
  },
  { status: /^40[13]$/, reason: /^/, code: 'vault_forbidden' },
  { status: /^429$/, reason: /^/, code: 'vault_rate_limited' },
  { status: /^47[23]$/, reason: /^/, code: 'vault_standby' },
  { status: /^501$/, reason: /^/, code: 'vault_not_initialised' },
  { status: /^5/, reason: /not (yet )?initiali[sz]ed/i, code: 'vault_not_initialised' },
  { status: /^5/, reason: /sealed/i, code: 'vault_sealed' },
  { status: /^5/, reason: /standby|leader|no(t)? active|active cluster node/i, code: 'vault_standby' },
  { status: /^(5|408|412)/, reason: /^/, code: 'vault_failed' },
];

function codeOf({ status, login }: RefusedAnswer, reason: string): Code {
  if (login && (status === 400 || status === 403)) return 'vault_login_refused';
  const rule = rules.find((each) => each.status.test(`${status}`) && each.reason.test(reason));
  return rule?.code ?? 'vault_request_refused';
}

/** In seconds, as quotas give it; a date is not used for it by any server of this API. */
function retryAfterMsOf(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d{1,9}$/.test(header.trim())) return undefined;
  return Math.min(Number(header) * 1000, maxRetryAfterMs);
}
