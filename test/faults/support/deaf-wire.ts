import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

import { listen } from '../../../src/runtime/listen.ts';
import type { SocketAddress } from '../../../src/runtime/socket-address.ts';

/** A wire to a server that can stop taking what the server sends, while it goes on carrying what the clients do. */
export class DeafWire implements AsyncDisposable {
  readonly #to: SocketAddress;
  readonly #server: Server;
  readonly #servers: Socket[] = [];
  readonly #clients: Socket[] = [];
  address: SocketAddress = { host: '127.0.0.1', port: 0 };

  constructor(to: SocketAddress) {
    this.#to = to;
    this.#server = createServer((client) => this.#carry(client));
  }

  async start(): Promise<this> {
    this.address = await listen(this.#server, this.address);
    return this;
  }

  /** Reads nothing more from the server, so that its sends stop in its own buffers. */
  deafen(): void {
    for (const [i, server] of this.#servers.entries()) {
      server.unpipe(this.#clients[i]);
      server.pause();
    }
  }

  /** Reads again, what was held up first. */
  listen(): void {
    for (const [i, server] of this.#servers.entries()) server.pipe(this.#clients[i]!);
  }

  /** Ends every connection at once; further ones are carried. */
  cut(): void {
    for (const socket of [...this.#clients.splice(0), ...this.#servers.splice(0)]) socket.destroy();
  }

  #carry(client: Socket): void {
    const server = connect(this.#to);
    this.#clients.push(client);
    this.#servers.push(server);
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
    client.pipe(server);
    server.pipe(client);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
