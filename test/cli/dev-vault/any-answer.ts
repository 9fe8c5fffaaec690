import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server that gives one and the same answer to whatever it is asked, without TLS. */
export class AnyAnswer {
  /** The paths, in order. */
  readonly asked: string[] = [];
  readonly #server: Server;

  private constructor(status: number) {
    this.#server = createServer((request, response) => {
      this.asked.push(request.url ?? '');
      response.writeHead(status).end();
    });
  }

  static async start(status: number): Promise<AnyAnswer> {
    const made = new AnyAnswer(status);
    made.#server.listen(0, '127.0.0.1');
    await once(made.#server, 'listening');
    return made;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
