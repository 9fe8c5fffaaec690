import type { SocketAddress } from '../runtime/socket-address.ts';
import type { Connection } from './transport/engine.ts';

/** Where a client wanted its connection to go before it was led to the proxy; undefined where nobody can tell. */
export interface OriginalDestination {
  of(connection: Connection): SocketAddress | undefined;
}

/** A fixed listener: everything that connects to it was meant for one target. */
export function fixedDestination(target: SocketAddress): OriginalDestination {
  return { of: () => target };
}

/** A listener without redirection in front of it: clients wanted what they dialled. */
export const dialledDestination: OriginalDestination = { of: ({ local }) => local };
