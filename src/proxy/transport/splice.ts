import type { Socket } from 'node:net';

import type { Clock, Timer } from '../../runtime/clock.ts';
import { errorCode } from '../../runtime/errors.ts';
import type { Copy, CopyEnd, CopyOptions } from './engine.ts';
import type { ReadBuffers } from './read-buffers.ts';
import type { StreamConnection } from './stream-connection.ts';

export interface SpliceOptions extends CopyOptions {
  readonly clock: Clock;
  /** Whose memory large pieces are in. */
  readonly buffers: Pick<ReadBuffers, 'isLent' | 'giveBack'>;
}

/**
 * Copies bytes both ways between two connections, by hand on `data` and `drain`, which costs less than pipes do. Each
 * way ends on its own, a slow reader stops the other side from being read, and what breaks one connection resets both.
 */
export function splice(client: StreamConnection, server: StreamConnection, options: SpliceOptions): Copy {
  return new Splice(client, server, options);
}

type Side = 'client' | 'server';

class Splice implements Copy {
  fromClient = 0;
  fromServer = 0;
  readonly done: Promise<CopyEnd>;
  readonly #connections: readonly StreamConnection[];
  readonly #clock: Clock;
  readonly #buffers: SpliceOptions['buffers'];
  readonly #resolve: (end: CopyEnd) => void;
  #open = 2;
  #end: CopyEnd = { reason: 'ended' };
  #idleTimer: Timer | undefined;

  constructor(
    client: StreamConnection,
    server: StreamConnection,
    { idleTimeoutMs, clock, buffers }: SpliceOptions,
  ) {
    this.#connections = [client, server];
    this.#clock = clock;
    this.#buffers = buffers;
    const { promise, resolve } = Promise.withResolvers<CopyEnd>();
    this.done = promise;
    this.#resolve = resolve;
    this.#carry(client, server.socket, (bytes) => (this.fromClient += bytes));
    this.#carry(server, client.socket, (bytes) => (this.fromServer += bytes));
    this.#follow('client', client);
    this.#follow('server', server);
    if (idleTimeoutMs !== undefined) this.#watchIdle(idleTimeoutMs);
  }

  stop(): void {
    this.#cut({ reason: 'stopped' });
  }

  /** One way. `count` is called once a chunk and must stay cheap. */
  #carry(from: StreamConnection, to: Socket, count: (bytes: number) => void): void {
    const { socket } = from;
    const buffers = this.#buffers;
    const write = (chunk: Buffer): void => {
      count(chunk.length);
      const takesMore = buffers.isLent(chunk) ? writeLent(to, chunk, buffers) : to.write(chunk);
      if (!takesMore) socket.pause();
    };
    to.on('drain', () => socket.resume());
    socket.on('data', write);
    socket.on('end', () => to.end());
    const front = from.takeFront();
    if (front.length > 0) write(front);
    if (from.ended) to.end();
    else if (front.length === 0 || !to.writableNeedDrain) socket.resume();
  }

  #follow(side: Side, connection: StreamConnection): void {
    const { socket } = connection;
    const fail = (error: Error | undefined): void =>
      this.#cut({ reason: 'failed', failed: { side, errno: errorCode(error) ?? '' } });
    const closed = (): void => {
      const whole = (connection.ended || socket.readableEnded) && socket.writableFinished;
      if (!whole) fail(connection.failure);
      if (--this.#open > 0) return;
      this.#idleTimer?.cancel();
      this.#resolve(this.#end);
    };
    socket.on('error', fail);
    if (socket.closed) closed();
    else socket.on('close', closed);
  }

  /** The first reason counts; what the resets bring about is no news. */
  #cut(end: CopyEnd): void {
    if (this.#end.reason !== 'ended') return;
    this.#end = end;
    for (const connection of this.#connections) connection.reset();
  }

  /** One timer a period instead of one a chunk: a period in which no byte came is an idle one. */
  #watchIdle(periodMs: number): void {
    const before = this.fromClient + this.fromServer;
    this.#idleTimer = this.#clock.after(periodMs, () => {
      if (this.fromClient + this.fromServer === before) this.#cut({ reason: 'idle' });
      else this.#watchIdle(periodMs);
    });
  }
}

function writeLent(to: Socket, chunk: Buffer, buffers: SpliceOptions['buffers']): boolean {
  return to.write(chunk, (error) => {
    // What could not be written may still be in use.
    if (!error) buffers.giveBack(chunk);
  });
}
