import { connect, createServer, type Server, type Socket } from 'node:net';
import { listen } from '../../../src/runtime/listen.ts';
import type { SocketAddress } from '../../../src/runtime/socket-address.ts';

/** Stands in front of a service that can be away: while it is, nobody listens at this address. */
export class Relay implements AsyncDisposable {
  /** Where connections go that are opened from now on. */
  to: SocketAddress;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  address: SocketAddress;

  constructor(to: SocketAddress, at: SocketAddress = { host: '127.0.0.1', port: 0 }) {
    this.to = to;
    this.address = at;
  }

  /** On the port it had before, once it had one. */
  async open(): Promise<this> {
    const server = createServer((from) => this.#carry(from));
    this.address = await listen(server, this.address);
    this.#server = server;
    return this;
  }

  /** Ends the connections too. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const server = this.#server;
    this.#server = undefined;
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #carry(from: Socket): void {
    const into = connect(this.to);
    for (const [one, other] of [
      [from, into],
      [into, from],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}
