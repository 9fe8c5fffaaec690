import type { Socket } from 'node:net';

import type { Clock } from '../../runtime/clock.ts';
import type { SocketAddress } from '../../runtime/socket-address.ts';
import { proxyErrors } from '../errors.ts';
import type { Connection, ReadLimits, Take } from './engine.ts';
import { FrontBuffer } from './front-buffer.ts';
import { readFailure } from './socket-failure.ts';

/** A connection made of a Node socket: plain TCP, or TLS over the plain socket beneath it. */
export class StreamConnection implements Connection {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /** Where bytes are read and written; paused until something reads. */
  readonly socket: Socket;
  readonly #tcp: Socket;
  readonly #clock: Clock;
  readonly #front = new FrontBuffer();
  #ended = false;
  #failure: Error | undefined;
  #interrupt: ((error: Error) => void) | undefined;

  /** `tcp` is the socket beneath `socket` where that is TLS: only it can be reset. */
  constructor(socket: Socket, clock: Clock, tcp = socket) {
    this.socket = socket;
    this.#tcp = tcp;
    this.#clock = clock;
    this.local = { host: plainAddress(tcp.localAddress), port: tcp.localPort ?? 0 };
    this.remote = { host: plainAddress(tcp.remoteAddress), port: tcp.remotePort ?? 0 };
    // A paused socket still tells its end, once, also while nobody reads.
    socket.once('end', () => {
      this.#ended = true;
    });
    // Whoever reads or writes next is told; until then an error must not go unheard, which would end the process.
    socket.on('error', (error) => {
      this.#failure ??= error;
    });
  }

  /** The other side has ended its bytes; the socket will not say so again. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What broke the connection, if anything did. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  async readFront<T>(take: Take<T>, { timeoutMs, maxBytes }: ReadLimits): Promise<T> {
    const timer = this.#clock.after(timeoutMs, () =>
      this.#interrupt?.(
        proxyErrors.error(
          'read_timeout',
          `expected more within ${timeoutMs} ms, got ${this.#front.length} bytes`,
        ),
      ),
    );
    try {
      for (;;) {
        const taken = take(this.#front.bytes, this.#ended || this.#front.length >= maxBytes);
        if (taken !== undefined) {
          this.#front.consume(taken.consumed);
          return taken.value;
        }
        await this.#readMore();
      }
    } finally {
      timer.cancel();
    }
  }

  /** Waits for one piece, or the end, and leaves the socket paused. */
  #readMore(): Promise<void> {
    const { socket } = this;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const onData = (piece: Buffer): void => {
      this.#front.append(piece);
      socket.pause();
      resolve(undefined);
    };
    const onEnd = (): void => resolve(undefined);
    const onClose = (): void => reject(readFailure(this.#failure));
    this.#interrupt = reject;
    if (socket.destroyed) onClose();
    else socket.on('data', onData).on('end', onEnd).on('close', onClose).resume();
    return promise.finally(() => {
      socket.pause().off('data', onData).off('end', onEnd).off('close', onClose);
      this.#interrupt = undefined;
    });
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  reset(): void {
    const { socket } = this;
    // libuv refuses to reset a connection on which a shutdown is under way, and would then leave it open. While bytes wait
    // it is not: to destroy the connection then would look like an orderly end behind a part of them.
    const shuttingDown = socket.writableEnded && socket.writableLength === 0 && !socket.writableFinished;
    // TLS ends with the connection beneath it. To destroy it as well, when it has just finished its handshake and is
    // still about to tell so, takes the whole process down (Node 26.10).
    if (shuttingDown) socket.destroy();
    else if (!this.#tcp.destroyed) this.#tcp.resetAndDestroy();
  }

  /** What was read from the front and not consumed; it is the reader's now. */
  takeFront(): Buffer {
    return this.#front.takeAll();
  }

  /** Gives the socket away, paused, with what was read put back. Throws `connection_reset` when it has ended. */
  release(): Socket {
    if (this.#ended || this.socket.destroyed) {
      this.reset();
      throw readFailure(this.#failure);
    }
    const front = this.takeFront();
    if (front.length > 0) this.socket.unshift(front);
    return this.socket;
  }
}

/** A dual-stack listener shows IPv4 clients as `::ffff:10.0.0.1`; link-local addresses come with their interface. */
function plainAddress(address = ''): string {
  const [ip = ''] = address.split('%');
  return ip.startsWith('::ffff:') && ip.includes('.') ? ip.slice('::ffff:'.length) : ip;
}
