import { closeSync } from 'node:fs';
import type { Server } from 'node:net';
import { getBuiltinModule } from 'node:process';

import { listen } from './listen.ts';
import type { SocketAddress } from './socket-address.ts';

/** Accepting that can be stopped for a while. */
export interface Pausable {
  /** Accepts no more for now; clients wait in the system's queue and are neither refused nor cut. */
  pause(): void;
  resume(): void;
}

/**
 * A TCP server whose accepting can pause. Node has no word for that, and a process without file descriptors is worse than
 * slow: libuv then accepts every client only to close it, which looks like an empty answer, and tells nobody.
 */
export class PausableListener implements Pausable {
  /** What was bound; its port is never 0. */
  readonly address: SocketAddress;
  readonly #server: Server;
  readonly #backlog: number;
  /** Holds the system's socket open while no server reads from it. */
  #kept: number | undefined;

  private constructor(server: Server, address: SocketAddress, backlog: number) {
    this.#server = server;
    this.address = address;
    this.#backlog = backlog;
  }

  /** Rejects as `listen` does. `backlog` is how many clients may wait; the system has a limit of its own. */
  static async open(server: Server, address: SocketAddress, backlog: number): Promise<PausableListener> {
    const bound = await listen(server, { ...address, backlog } as SocketAddress);
    return new PausableListener(server, bound, backlog);
  }

  pause(): void {
    if (this.#kept !== undefined || !this.#server.listening) return;
    const kept = duplicate(descriptorOf(this.#server));
    if (kept === undefined) return;
    this.#kept = kept;
    this.#server.close();
  }

  resume(): void {
    if (this.#kept === undefined) return;
    // Beside a descriptor Node heeds a backlog only as an argument of its own.
    this.#server.listen({ fd: this.#kept }, this.#backlog);
    this.#kept = undefined;
  }

  /** For good. What waits in the queue is reset. */
  close(): void {
    if (this.#kept !== undefined) closeSync(this.#kept);
    this.#kept = undefined;
    this.#server.close();
  }
}

function descriptorOf(server: Server): number {
  const { _handle: handle } = server as unknown as { _handle: { fd: number } };
  return handle.fd;
}

/** Another descriptor of the same socket; undefined where the system gives none. */
function duplicate(descriptor: number): number | undefined {
  // Loaded when it is needed, since it is experimental and says so.
  const { dlopen } = getBuiltinModule('node:ffi');
  const { functions } = dlopen(null, { dup: { arguments: ['i32'], return: 'i32' } });
  const copy = functions.dup(descriptor);
  return copy < 0 ? undefined : copy;
}
