import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { listen } from '../../src/runtime/listen.ts';
import type { SocketAddress } from '../../src/runtime/socket-address.ts';

interface Line {
  readonly client: Socket;
  readonly server: Socket;
  /** The client has said something that was not answered yet. */
  asked: boolean;
}

/** A wire to a server that can keep the server's answers back, and knows how many clients wait for one. */
export class SilentWire implements AsyncDisposable {
  readonly #to: SocketAddress;
  readonly #server: Server;
  readonly #lines = new Set<Line>();
  #silent = false;
  address: SocketAddress = { host: '127.0.0.1', port: 0 };

  private constructor(to: SocketAddress) {
    this.#to = to;
    this.#server = createServer((client) => this.#carry(client));
  }

  static async start(to: SocketAddress): Promise<SilentWire> {
    const wire = new SilentWire(to);
    wire.address = await listen(wire.#server, wire.address);
    return wire;
  }

  /** Clients whose last word was not answered, and who are still there. */
  get waiting(): number {
    return [...this.#lines].filter(({ asked }) => asked).length;
  }

  /** From now on nothing comes back. */
  silence(): void {
    this.#silent = true;
    for (const { server } of this.#lines) server.pause();
  }

  /** Everything that was kept back comes now. */
  end(): void {
    this.#silent = false;
    for (const { server } of this.#lines) server.resume();
  }

  #carry(client: Socket): void {
    const line: Line = { client, server: connect(this.#to), asked: false };
    const { server } = line;
    this.#lines.add(line);
    client.on('data', (chunk) => {
      line.asked = true;
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      line.asked = false;
      client.write(chunk);
    });
    if (this.#silent) server.pause();
    const drop = (): void => {
      this.#lines.delete(line);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on('error', drop).on('close', drop);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { client, server } of this.#lines) {
      client.destroy();
      server.destroy();
    }
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
