import { Server as HttpServer } from 'node:http';
import type { Server } from 'node:net';
import type { AppError } from './errors.ts';
import { errorCode, errorMessage } from './errors.ts';
import { runtimeErrors } from './runtime-errors.ts';
import { formatSocketAddress, type SocketAddress } from './socket-address.ts';

/** Begins to accept connections; resolves with the address that was bound, its port never 0. */
export function listen(server: Server, address: SocketAddress): Promise<SocketAddress> {
  return new Promise((resolve, reject) => {
    const failed = (error: unknown): void => {
      server.off('listening', listening);
      reject(listenError(address, error));
    };
    const listening = (): void => {
      server.off('error', failed);
      resolve(boundAddress(server));
    };
    server.once('error', failed);
    server.once('listening', listening);
    server.listen(address);
  });
}

/**
 * Accepts no more and resolves when the last connection has ended. At the deadline an HTTP server's
 * connections are cut; those of other servers are their owner's to cut.
 */
export function closeServer(server: Server, deadline: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cut = (): void => {
      if (server instanceof HttpServer) server.closeAllConnections();
    };
    server.close(() => {
      deadline.removeEventListener('abort', cut);
      resolve();
    });
    if (deadline.aborted) cut();
    else deadline.addEventListener('abort', cut, { once: true });
  });
}

function boundAddress(server: Server): SocketAddress {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new TypeError('expected a server on a TCP address');
  return { host: bound.address, port: bound.port };
}

function listenError(address: SocketAddress, cause: unknown): AppError {
  const where = formatSocketAddress(address);
  const code = errorCode(cause);
  if (code === 'EADDRINUSE') {
    return runtimeErrors.error('address_in_use', `expected ${where} to be free, but it is in use`, { cause });
  }
  if (code === 'EACCES') {
    return runtimeErrors.error('address_not_permitted', `expected the right to listen on ${where}`, {
      cause,
    });
  }
  const message = `expected an address of this machine, got ${where}: ${errorMessage(cause)}`;
  return runtimeErrors.error('address_not_available', message, { cause });
}
