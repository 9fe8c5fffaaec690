import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

import { errorCode } from '../../../src/runtime/errors.ts';
import { listen } from '../../../src/runtime/listen.ts';
import type { SocketAddress } from '../../../src/runtime/socket-address.ts';

const anyPort: SocketAddress = { host: '127.0.0.1', port: 0 };

/** A TCP server that does with each connection what it is told, and cuts all of them in the end. */
export class App implements AsyncDisposable {
  readonly sockets: Socket[] = [];
  readonly #server: Server;
  address = anyPort;

  constructor(serve: (socket: Socket) => void) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      serve(socket);
    });
  }

  /** Sends back what it gets, and ends when the client does. */
  static echo(): App {
    return new App((socket) => void socket.pipe(socket));
  }

  async start(at = anyPort): Promise<this> {
    this.address = await listen(this.#server, at);
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }
}

/** A client of such a server, directly or through proxies. */
export class Client implements Disposable {
  readonly socket: Socket;
  #received = 0;
  #waiting: (() => void) | undefined;
  /** How the server ended it: in order, or by this error. */
  end: string | undefined;

  constructor(address: SocketAddress) {
    this.socket = connect({ ...address, allowHalfOpen: true, noDelay: true });
    this.socket.on('data', (piece: Buffer) => {
      this.#received += piece.length;
      this.#waiting?.();
    });
    this.socket.on('end', () => this.#over('end'));
    this.socket.on('error', (error) => this.#over(errorCode(error) ?? 'error'));
    this.socket.on('close', () => this.#over('close'));
  }

  get received(): number {
    return this.#received;
  }

  /** Sends so many bytes and waits for as many; milliseconds, or how the connection ended before that. */
  async roundTrip(bytes = 64): Promise<number | string> {
    const from = performance.now();
    const enough = this.#received + bytes;
    this.socket.write(Buffer.alloc(bytes, 'x'));
    while (this.#received < enough) {
      if (this.end !== undefined) return this.end;
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    return performance.now() - from;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #over(how: string): void {
    this.end ??= how;
    this.#waiting?.();
  }
}
