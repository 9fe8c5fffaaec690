import type { TLSSocket } from 'node:tls';

import type { TrustBundle } from '../pki/trust-bundle.ts';
import { LatestValue } from '../runtime/latest.ts';
import type { Latest } from '../runtime/latest.ts';
import type { PeerIdentity } from './call.ts';
import { peerIdentity, verifyPeerChain } from './verify-peer.ts';
import type { PeerChain } from './verify-peer.ts';

/** The two ends of a connection, which name it among all that are open. */
export interface Endpoints {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** A client's connection after TLS. */
export class Connection {
  readonly peerAddress: string;
  readonly peer: PeerIdentity | undefined;
  readonly #socket: TLSSocket;
  readonly #chain: PeerChain | undefined;

  constructor(socket: TLSSocket, chain: PeerChain | undefined) {
    this.#socket = socket;
    this.#chain = chain;
    this.peerAddress = plainAddress(socket.remoteAddress);
    this.peer = chain === undefined ? undefined : peerIdentity(chain);
  }

  /** Whether the client's certificate, if it showed one, still verifies. */
  isTrustedBy(bundle: TrustBundle, at: Date): boolean {
    if (this.#chain === undefined) return true;
    try {
      verifyPeerChain(this.#chain, bundle, at, 'client');
      return true;
    } catch {
      return false;
    }
  }

  cut(): void {
    this.#socket.destroy();
  }
}

/** The open connections of one server. */
export class Connections {
  readonly #open = new Map<string, Connection>();
  readonly #count = new LatestValue(0);

  add(socket: TLSSocket, connection: Connection): void {
    const key = keyOf(socket);
    this.#open.set(key, connection);
    this.#count.set(this.#open.size);
    socket.once('close', () => {
      this.#open.delete(key);
      this.#count.set(this.#open.size);
    });
  }

  /** How many there are. */
  get count(): Latest<number> {
    return this.#count;
  }

  /** The connection a call came on. */
  find(endpoints: Endpoints): Connection | undefined {
    return this.#open.get(keyOf(endpoints));
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#open.values();
  }
}

function keyOf({ localAddress, localPort, remoteAddress, remotePort }: Endpoints): string {
  return `${localAddress ?? ''} ${localPort ?? ''} ${remoteAddress ?? ''} ${remotePort ?? ''}`;
}

/** Dual-stack listeners see IPv4 clients as `::ffff:10.0.0.1`. */
export function plainAddress(address: string | undefined): string {
  return address?.replace(/^::ffff:(?=\d+\.)/, '') ?? '';
}
