import type { Readable } from 'node:stream';
import type { Clock } from '../runtime/clock.ts';
import { withinDeadline } from '../runtime/deadline.ts';
import { isAppError } from '../runtime/errors.ts';
import type { Access, AccessKeeper } from './access.ts';
import { answerError, connectionError } from './answer-error.ts';
import { kubeErrors } from './errors.ts';
import { exchange, readBody } from './exchange.ts';
import type { KubeMetrics } from './kube-metrics.ts';
import type { Answer, Question } from './question.ts';

export interface KubeHttpOptions {
  readonly access: AccessKeeper;
  /** In the API server's audit log. */
  readonly userAgent: string;
  readonly clock: Clock;
  readonly metrics: KubeMetrics;
}

/** One request, in the words of RBAC and of HTTP. */
export interface Call {
  readonly verb: string;
  /** As RBAC names it, or a path. */
  readonly resource: string;
  readonly method: string;
  readonly path: string;
  /** What is undefined is left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly contentType?: string;
  readonly body?: object;
  /** 10 seconds unless given. */
  readonly deadlineMs?: number;
}

const callDeadlineMs = 10_000;
/** A page of a list is some megabytes. */
const maxAnswerBytes = 64 * 1024 * 1024;
/** What an error says is some lines long. */
const maxErrorBytes = 1024 * 1024;

/** Requests to the API server with its credentials, deadlines, errors and metrics. */
export class KubeHttp {
  readonly #options: KubeHttpOptions;

  constructor(options: KubeHttpOptions) {
    this.#options = options;
  }

  /** The body of an answer of 2xx. */
  text(call: Call, signal: AbortSignal): Promise<string> {
    const { clock } = this.#options;
    const ms = call.deadlineMs ?? callDeadlineMs;
    const late = (): Error => lateError(call, ms);
    return this.#counted(call, () =>
      withinDeadline({ clock, ms, signal, late }, async (end) => {
        const { access, body } = await this.#answer(call, end);
        return this.#connected(call, access, end, () => readBody(body, maxAnswerBytes));
      }),
    );
  }

  async json(call: Call, signal: AbortSignal): Promise<unknown> {
    const text = await this.text(call, signal);
    try {
      return JSON.parse(text);
    } catch {
      throw kubeErrors.error('kube_answer_invalid', `${nameOf(call)}: expected JSON, got something else`);
    }
  }

  /** The body of an answer of 2xx as it comes. Only its beginning has a deadline; it goes on until `signal` is aborted. */
  async stream(call: Call, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    const end = new AbortController();
    const stop = (): void => end.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    const timer = this.#options.clock.after(callDeadlineMs, () => end.abort(lateError(call, callDeadlineMs)));
    try {
      signal.throwIfAborted();
      const { access, body } = await this.#counted(call, () => this.#answer(call, end.signal));
      body.once('close', () => signal.removeEventListener('abort', stop));
      return this.#body(call, access, body, signal);
    } catch (error) {
      signal.removeEventListener('abort', stop);
      throw error;
    } finally {
      timer.cancel();
    }
  }

  async *#body(
    call: Call,
    access: Access,
    body: Readable,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer, void, undefined> {
    try {
      yield* body as AsyncIterable<Buffer>;
    } catch (error) {
      signal.throwIfAborted();
      throw connectionError(nameOf(call), access.server.host, error);
    }
    signal.throwIfAborted();
  }

  /** The body of an answer of 2xx. Credentials that are refused are read anew, and tried once more where they have changed. */
  async #answer(call: Call, signal: AbortSignal): Promise<{ access: Access; body: Readable }> {
    const { access: keeper } = this.#options;
    const question = this.#question(call);
    const ask = (by: Access): Promise<Answer> =>
      this.#connected(call, by, signal, () => exchange(by, question, signal));
    let access = await keeper.current();
    let answer = await ask(access);
    if (answer.status === 401) {
      const refused = access;
      access = await keeper.renewed(refused);
      if (access.headers['authorization'] !== refused.headers['authorization']) {
        answer.body.destroy();
        answer = await ask(access);
      }
    }
    const { status, retryAfter, body } = answer;
    if (status >= 200 && status < 300) return { access, body };
    const text = await this.#connected(call, access, signal, () => readBody(body, maxErrorBytes));
    throw answerError(nameOf(call), status, text, retryAfter);
  }

  #question({ method, path, query = {}, body, contentType = 'application/json' }: Call): Question {
    const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const search = new URLSearchParams(given).toString();
    return {
      method,
      path: search === '' ? path : `${path}?${search}`,
      headers: {
        accept: 'application/json, */*;q=0.1',
        'user-agent': this.#options.userAgent,
        ...(body !== undefined && { 'content-type': contentType }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    };
  }

  async #connected<T>(call: Call, access: Access, signal: AbortSignal, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      signal.throwIfAborted();
      throw isAppError(error) ? error : connectionError(nameOf(call), access.server.host, error);
    }
  }

  async #counted<T>(call: Call, run: () => Promise<T>): Promise<T> {
    const { requests, seconds } = this.#options.metrics;
    const { verb, resource } = call;
    const beganAtMs = performance.now();
    try {
      const answer = await run();
      requests.inc({ verb, resource, result: 'ok' });
      return answer;
    } catch (error) {
      requests.inc({ verb, resource, result: isAppError(error) ? error.code : 'cancelled' });
      throw error;
    } finally {
      seconds.observe({ verb }, (performance.now() - beganAtMs) / 1000);
    }
  }
}

/** `list pods`, as it stands at the beginning of every message. */
export function nameOf({ verb, resource }: Call): string {
  return `${verb} ${resource}`;
}

function lateError(call: Call, ms: number): Error {
  return kubeErrors.error('kube_late', `${nameOf(call)}: expected an answer within ${ms} ms, got none`);
}
