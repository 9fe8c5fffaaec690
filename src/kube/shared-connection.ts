import { connect, constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { isIP } from 'node:net';
import type { AgentOptions } from 'node:https';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { Clock, Timer } from '../runtime/clock.ts';
import type { Answer, Question } from './question.ts';

/** What the API server is verified by, and what proves who asks. */
export type TlsOptions = Pick<AgentOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>;

/** From the first packet to what the API server says of itself once TLS is there. */
const connectMs = 5_000;
/** Less than the 90 seconds after which the API server closes an idle connection. */
const idleMs = 45_000;
/** How often a connection is asked whether it is alive, while an answer is waited for; and how long it may take to say so. */
const silenceMs = 1_000;

interface Made {
  readonly session: ClientHttp2Session;
  /** Once it is known how many requests may go on it at once. */
  readonly ready: Promise<Made | undefined>;
  waiting: number;
  silent: boolean;
  look: Timer | undefined;
}

/**
 * One HTTP/2 connection for small requests, which go side by side on it: what is sent in one turn leaves in one piece, and the
 * API server wakes once for it. Made when it is first needed, and anew after its end.
 */
export class SharedConnection {
  readonly #server: URL;
  readonly #tls: TlsOptions;
  readonly #clock: Clock;
  #made: Made | undefined;
  #speaksHttp1Only = false;

  constructor(server: URL, tls: TlsOptions, clock: Clock) {
    this.#server = server;
    this.#tls = tls;
    this.#clock = clock;
  }

  /** As `exchange` does; `undefined` where the server, or what stands before it, speaks HTTP/1.1 only. */
  async exchange(question: Question, signal: AbortSignal): Promise<Answer | undefined> {
    const made = await this.#ready();
    signal.throwIfAborted();
    if (made === undefined) return undefined;
    const first = begin(made, question);
    try {
      return await this.#answered(first, made, signal);
    } catch (error) {
      // The API server says of these that it has done nothing for them, as when it is about to end the connection.
      if (signal.aborted || first.rstCode !== constants.NGHTTP2_REFUSED_STREAM) throw error;
    }
    const anew = await this.#ready();
    signal.throwIfAborted();
    return anew && (await this.#answered(begin(anew, question), anew, signal));
  }

  /** Takes no further requests on what is open; those under way go on. */
  close(): void {
    this.#made?.session.close();
  }

  #ready(): Promise<Made | undefined> {
    if (this.#speaksHttp1Only) return Promise.resolve(undefined);
    if (this.#made === undefined || isOver(this.#made)) this.#made = this.#make();
    return this.#made.ready;
  }

  #make(): Made {
    const session = connect(this.#server, { createConnection: () => this.#dial() });
    const { promise: ready, resolve, reject } = Promise.withResolvers<Made | undefined>();
    const made: Made = { session, ready, waiting: 0, silent: false, look: undefined };
    // Who waits for an answer has a deadline; nothing else needs this process to go on.
    session.unref();
    session.setTimeout(connectMs);
    session.on('timeout', () => {
      if (session.connecting) session.destroy(notConnected());
      else session.close();
    });
    session.on('error', reject);
    session.once('close', () => reject(notConnected()));
    session.once('connect', () => {
      this.#speaksHttp1Only = session.alpnProtocol !== 'h2';
      if (!this.#speaksHttp1Only) return;
      resolve(undefined);
      session.destroy();
    });
    session.once('remoteSettings', () => {
      session.setTimeout(idleMs);
      resolve(made);
    });
    return made;
  }

  /** By itself HTTP/2 would offer nothing else, and be refused by who speaks HTTP/1.1 only. */
  #dial(): TLSSocket {
    const host = this.#server.hostname.replace(/^\[|\]$/g, '');
    const servername = isIP(host) === 0 ? host : '';
    const port = Number(this.#server.port) || 443;
    return connectTls({ servername, ...this.#tls, host, port, ALPNProtocols: ['h2', 'http/1.1'] });
  }

  async #answered(stream: ClientHttp2Stream, made: Made, signal: AbortSignal): Promise<Answer> {
    made.waiting += 1;
    this.#watch(made);
    try {
      return await answered(stream, signal);
    } finally {
      made.waiting -= 1;
      if (made.waiting === 0) {
        made.look?.cancel();
        made.look = undefined;
      }
    }
  }

  /** One that stays silent while an answer is waited for may be dead, and takes no further requests. */
  #watch(made: Made): void {
    made.look ??= this.#clock.after(silenceMs, () => {
      made.look = undefined;
      if (isOver(made)) return;
      if (made.silent) {
        made.session.close();
        return;
      }
      made.silent = true;
      made.session.ping(() => (made.silent = false));
      this.#watch(made);
    });
  }
}

function isOver({ session }: Made): boolean {
  return session.closed || session.destroyed;
}

function answered(stream: ClientHttp2Stream, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      stream.close(constants.NGHTTP2_CANCEL);
      stream.destroy(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
    // Stays for what comes later: what goes wrong with the body is told by the reading of it.
    stream.on('error', reject);
    stream.once('close', () => {
      signal.removeEventListener('abort', abort);
      reject(new Error('the stream was closed'));
    });
    stream.once('response', (headers) =>
      resolve({ status: headers[':status'] ?? 0, retryAfter: headers['retry-after'], body: stream }),
    );
  });
}

function begin({ session }: Made, { method, path, headers, body }: Question): ClientHttp2Stream {
  const stream = session.request({ ...headers, ':method': method, ':path': path });
  stream.end(body);
  return stream;
}

function notConnected(): Error {
  return Object.assign(new Error('expected a connection, got none'), { code: 'ETIMEDOUT' });
}
