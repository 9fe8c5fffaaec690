import nodeVault from 'node-vault';
import type { Clock } from '../../runtime/clock.ts';
import { withinDeadline } from '../../runtime/deadline.ts';
import { connectionFailure } from './connection-failure.ts';
import { vaultErrors } from './errors.ts';
import { exchange, type HttpsAnswer } from './https-exchange.ts';
import { refusedAnswer } from './refused-answer.ts';
import type { VaultConnections } from './vault-connections.ts';

export interface VaultClientOptions {
  readonly address: URL;
  readonly connections: Pick<VaultConnections, 'use'>;
  readonly namespace: string | undefined;
  /** How long a call may take, the wait for a free connection included. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

export interface VaultCall {
  readonly signal: AbortSignal;
  readonly token?: string;
  /** It is a log-in: what is refused is the credentials. */
  readonly login?: boolean;
}

/** The state of a server as it tells it of itself (`sys/health`). */
export interface VaultHealth {
  readonly initialised: boolean;
  readonly sealed: boolean;
  readonly standby: boolean;
  readonly version: string;
}

/** What this file hands through node-vault to its own transport. */
interface Passed extends VaultCall {
  readonly login: boolean;
  readonly method: string;
  readonly uri: string;
  readonly path: string;
  readonly json?: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

const healthPath = 'sys/health';

/** Of the time for a call; whoever has waited longer would hardly have its answer in time. */
const shareForWaiting = 0.5;

/**
 * Calls the API of one Vault or OpenBao. Every call has a deadline and ends with its signal; every refusal is an error of the vault
 * catalogue with what to do about it. What a call sends is never in a message.
 *
 * The way there is not node-vault's own: its transport heeds no AbortSignal, has no limit on an answer, drops headers such as Retry-After,
 * follows redirects to other hosts with the token, asks the proxies of the environment, and can be told by the environment to
 * verify no certificate. `request-promise` is the library's option for another one.
 */
export class VaultClient {
  readonly #options: VaultClientOptions;
  readonly #vault: nodeVault.client;
  #aheadMs = 0;

  constructor(options: VaultClientOptions) {
    this.#options = options;
    this.#vault = nodeVault({
      endpoint: options.address.origin,
      'request-promise': { defaults: () => (passed: Passed) => this.#send(passed) },
      // Its own would print what is sent, tokens among it, where DEBUG is set.
      debug: () => undefined,
    });
    // Taken from VAULT_TOKEN, VAULT_NAMESPACE and VAULT_PREFIX otherwise: an empty option counts as none.
    Object.assign(this.#vault, { token: undefined, namespace: undefined, pathPrefix: '' });
  }

  /** Milliseconds that the clock of Vault was ahead of this one when it answered last; whole seconds, as HTTP tells them. */
  get aheadMs(): number {
    return this.#aheadMs;
  }

  /** The JSON of the answer, or undefined where it has none (204). */
  async read(path: string, call: VaultCall): Promise<unknown> {
    return (await this.#vault.read(path, this.#passed(call))) as unknown;
  }

  async write(path: string, body: object, call: VaultCall): Promise<unknown> {
    return (await this.#vault.write(path, body, this.#passed(call))) as unknown;
  }

  /** Answers also where the server is sealed or was never initialised; rejects where there is none. */
  async health(signal: AbortSignal): Promise<VaultHealth> {
    const { initialized, sealed, standby, version } = fieldsOf(await this.read(healthPath, { signal }));
    return {
      initialised: initialized === true,
      sealed: sealed === true,
      standby: standby === true,
      version: typeof version === 'string' ? version.slice(0, 80) : '',
    };
  }

  #passed({ signal, token, login = false }: VaultCall): object {
    const headers = { ...(token !== undefined && { 'X-Vault-Token': token }), 'X-Vault-Request': 'true' };
    return { signal, login, headers };
  }

  async #send(passed: Passed): Promise<object> {
    const { address, clock, timeoutMs } = this.#options;
    const path = passed.path.slice(1);
    const late = (): Error =>
      vaultErrors.error(
        'vault_timeout',
        `expected ${address.origin} to answer ${path} within ${timeoutMs} ms`,
      );
    const answer = await withinDeadline({ clock, ms: timeoutMs, signal: passed.signal, late }, (signal) =>
      this.#exchange(passed, path, signal),
    );
    this.#compareClocks(answer);
    return { statusCode: 200, body: contentOf(answer, path, passed.login), request: { path: passed.path } };
  }

  async #exchange(passed: Passed, path: string, signal: AbortSignal): Promise<HttpsAnswer> {
    const { address, connections, namespace, timeoutMs } = this.#options;
    // Asked with a namespace, some versions do not know the path.
    const inNamespace = namespace !== undefined && path !== healthPath;
    const headers = { ...passed.headers, ...(inNamespace && { 'X-Vault-Namespace': namespace }) };
    const { method, json: body } = passed;
    try {
      return await connections.use(
        { signal, withinMs: timeoutMs * shareForWaiting, late: allBusy },
        (agent) => exchange({ method, url: new URL(passed.uri), headers, body, agent, signal }),
      );
    } catch (error) {
      signal.throwIfAborted();
      throw connectionFailure(error, path, address.origin);
    }
  }

  #compareClocks({ headers }: HttpsAnswer): void {
    const date = Date.parse(headers.date ?? '');
    if (!Number.isNaN(date)) this.#aheadMs = date - this.#options.clock.now().getTime();
  }
}

function allBusy(): Error {
  return vaultErrors.error(
    'vault_timeout',
    'expected a free connection to Vault, got none in half of the time for a call',
  );
}

function contentOf(answer: HttpsAnswer, path: string, login: boolean): unknown {
  const { status, headers } = answer;
  if (status === 204) return undefined;
  if (status >= 300 && status < 400) throw redirected(answer, path);
  const body = jsonOf(answer.text);
  const understood = status === 200 || (path === healthPath && body !== undefined);
  if (!understood) throw refusedAnswer({ path, status, body, login, retryAfter: headers['retry-after'] });
  if (typeof body === 'object' && body !== null) return body;
  const got = `${answer.text.length} characters of ${(headers['content-type'] ?? 'no type').slice(0, 80)}`;
  throw vaultErrors.error('vault_answer_malformed', `expected JSON as the answer to ${path}, got ${got}`);
}

function redirected({ headers }: HttpsAnswer, path: string): Error {
  const to = URL.parse(headers.location ?? '')?.host ?? 'no address';
  return vaultErrors.error('vault_redirected', `expected an answer to ${path}, got a redirect to ${to}`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The fields of a JSON object; none for anything else. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
