import { connect } from 'node:net';
import type { Socket } from 'node:net';

import type { SocketAddress } from '../../runtime/socket-address.ts';
import type { SocketOptions } from './engine.ts';
import type { ReadBuffers } from './read-buffers.ts';

/** Opens plain TCP, paused once it stands. Rejects with what Node says, or with `signal.reason`. */
export function dialTcp(
  target: SocketAddress,
  { keepAliveMs }: SocketOptions,
  buffers: ReadBuffers,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({
      ...target,
      noDelay: true,
      allowHalfOpen: true,
      onread: buffers.into((piece) => socket.push(piece)),
      ...(keepAliveMs === undefined ? {} : { keepAlive: true, keepAliveInitialDelay: keepAliveMs }),
    });
    const abort = (): void => {
      reject(signal.reason as Error);
      socket.destroy();
    };
    // Stays for good: an error after the rejection must not go unheard.
    socket.on('error', reject);
    socket.once('close', () => signal.removeEventListener('abort', abort));
    socket.once('connect', () => {
      signal.removeEventListener('abort', abort);
      resolve(socket);
    });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
