import https from 'node:https';

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Of JSON, if it is that; else the text. */
  readonly body: unknown;
}

export interface ApiCall {
  readonly method?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
  /** Of the caller, in place of the admin's; empty for nobody's. */
  readonly token?: string;
}

/** The plainest caller of an API server, for tests: it shares nothing with what they judge. */
export class ApiCaller implements Disposable {
  readonly #agent: https.Agent;
  readonly #server: string;
  readonly #token: string;

  constructor(options: { readonly server: string; readonly ca: string; readonly token: string }) {
    this.#agent = new https.Agent({ keepAlive: true, ca: options.ca });
    this.#server = options.server;
    this.#token = options.token;
  }

  call(
    path: string,
    { method = 'GET', body, contentType, token = this.#token }: ApiCall = {},
  ): Promise<ApiAnswer> {
    const content = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const request = https.request(new URL(path, this.#server), {
        agent: this.#agent,
        method,
        headers: {
          accept: 'application/json',
          ...(token !== '' && { authorization: `Bearer ${token}` }),
          ...(content !== undefined && {
            'content-type': contentType ?? 'application/json',
            'content-length': Buffer.byteLength(content),
          }),
        },
      });
      request.once('error', reject);
      request.once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parsed(text) });
        });
      });
      request.end(content);
    });
  }

  /** The body of a 2xx answer; rejects with the server's own message otherwise. */
  async expect<T>(path: string, call: ApiCall = {}): Promise<T> {
    const { status, body } = await this.call(path, call);
    if (status >= 200 && status < 300) return body as T;
    const said = typeof body === 'string' ? body : (body as { readonly message?: string }).message;
    throw new Error(`${call.method ?? 'GET'} ${path}: expected success, got ${status} ${said ?? ''}`);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
