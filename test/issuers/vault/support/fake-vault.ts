import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call as the server saw it. */
export interface FakeCall {
  readonly method: string;
  /** Without `/v1/`. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  readonly response: ServerResponse;
}

export interface FakeReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or text as it is. */
  readonly body?: unknown;
}

/** A reply, or nothing where the call is never answered, or answered by what was done with its response. */
export type FakeHandler = (call: FakeCall) => FakeReply | undefined | Promise<FakeReply | undefined>;

/** A server in place of Vault that does as it is told: what a real one cannot be brought to do. */
export class FakeVault implements AsyncDisposable {
  readonly calls: FakeCall[] = [];
  connections = 0;
  /** Connections that are open now. */
  open = 0;
  handle: FakeHandler;
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  private constructor(handle: FakeHandler) {
    this.handle = handle;
    this.#server.on('connection', (socket) => {
      this.connections += 1;
      this.open += 1;
      socket.once('close', () => (this.open -= 1));
    });
  }

  static async start(handle: FakeHandler): Promise<FakeVault> {
    const fake = new FakeVault(handle);
    await once(fake.#server.listen(0, '127.0.0.1'), 'listening');
    return fake;
  }

  get address(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  /** The paths that were called, in order. */
  get paths(): string[] {
    return this.calls.map(({ path }) => path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await once(this.#server.close(), 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { method = '', url = '', headers } = request;
    const path = url.replace(/^\/v1\//, '');
    const call = {
      method,
      path,
      headers,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
      response,
    };
    this.calls.push(call);
    const reply = await this.handle(call);
    if (reply === undefined) return;
    const { status = 200, body = {} } = reply;
    response.writeHead(status, { 'Content-Type': 'application/json', ...reply.headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }
}
