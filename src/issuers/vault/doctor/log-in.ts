import { errorCode } from '../../../runtime/errors.ts';
import { formatDuration } from '../../../runtime/durations.ts';
import { failure } from '../../doctor/failure.ts';
import { failed, passed, skipped, warned, type Check, type Finding } from '../../doctor/finding.ts';
import { configuredLogin, type VaultConfig } from '../connect-vault.ts';
import { fieldsOf, type VaultClient } from '../vault-client.ts';
import type { VaultLogin } from '../vault-login.ts';
import type { VaultToken } from '../vault-token.ts';

const login: Check = { check: 'vault.login', title: 'logs in' };
const lasts: Check = { check: 'vault.token', title: 'the token is fit for use' };

/** Shorter, the identity service does hardly anything but log in. */
const shortMs = 60_000;

export interface LoggedIn {
  readonly findings: readonly Finding[];
  readonly token: VaultToken | undefined;
}

/** The log-in of the identity service, or the token of whoever runs the doctor. */
export function doctorLogin(
  client: Pick<VaultClient, 'write'>,
  config: VaultConfig,
  ownToken: string | undefined,
): VaultLogin {
  if (ownToken !== undefined) {
    const token = { value: ownToken, leaseMs: Infinity, renewable: false, own: false };
    return { description: 'a token of yours', logIn: () => Promise.resolve(token) };
  }
  return configuredLogin(client, config);
}

/** Logs in, and looks at the token that it gives. */
export async function examineLogin(
  client: Pick<VaultClient, 'read'>,
  way: VaultLogin,
  ownToken: boolean,
  signal: AbortSignal,
): Promise<LoggedIn> {
  let token: VaultToken;
  try {
    token = await way.logIn(signal);
  } catch (error) {
    return { findings: [failure(login, error, 'auth')], token: undefined };
  }
  const first = ownToken
    ? skipped(login, 'with a token of yours: the way of the identity service is not tried')
    : passed(login, way.description);
  return { findings: [first, await tokenFinding(client, token, signal)], token };
}

async function tokenFinding(
  client: Pick<VaultClient, 'read'>,
  { value, leaseMs }: VaultToken,
  signal: AbortSignal,
): Promise<Finding> {
  try {
    const answer = await client.read('auth/token/lookup-self', { signal, token: value });
    return judgeToken(fieldsOf(fieldsOf(answer)['data']));
  } catch (error) {
    if (!['vault_forbidden', 'vault_path_missing'].includes(errorCode(error) ?? ''))
      return failure(lasts, error, 'auth');
    const known = leaseMs === Infinity ? '' : `, but that it lasts ${formatDuration(leaseMs)}`;
    return skipped(lasts, `it may not be looked at${known}`);
  }
}

function judgeToken(data: Readonly<Record<string, unknown>>): Finding {
  const { ttl, type, renewable, policies, identity_policies: more, num_uses: uses } = data;
  const names = [policies, more]
    .flatMap((each) => (Array.isArray(each) ? (each as unknown[]) : []))
    .filter(isText);
  const ms = typeof ttl === 'number' ? ttl * 1000 : 0;
  const life =
    ms === 0 ? 'does not end' : `${formatDuration(ms)} left${renewable === true ? ', renewable' : ''}`;
  const kind = isText(type) ? `${type} token` : 'token';
  const seen = `${kind} with the policy ${names.slice(0, 8).join(', ') || '(none)'}; ${life}`;
  if (names.includes('root')) {
    const remedy =
      'Log in under a role with the policy that `kedge doctor issuer --print` prints: this token may do everything.';
    return failed(lasts, seen, { concerns: 'auth token_policies', remedy });
  }
  if (typeof uses === 'number' && uses > 0) {
    const remedy =
      'Set token_num_uses of the log-in’s role to 0: a token that ends after so many calls fails in their midst.';
    return warned(lasts, `${seen}; good for ${uses} more calls`, { concerns: 'auth token_num_uses', remedy });
  }
  if (ms >= shortMs) return passed(lasts, seen);
  const remedy =
    ms === 0
      ? 'Give the log-in’s role a token_ttl, such as 1h: a token that is lost then ends by itself.'
      : 'Raise token_ttl of the log-in’s role, such as to 1h.';
  return warned(lasts, seen, { concerns: 'auth token_ttl', remedy });
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 200;
}
