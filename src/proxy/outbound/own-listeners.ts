import { networkInterfaces } from 'node:os';

import type { SocketAddress } from '../../runtime/socket-address.ts';

const wildcards = new Set(['0.0.0.0', '::']);

/** Where the proxy itself takes outbound connections: whatever is sent there would come back for ever. */
export class OwnListeners {
  readonly #addresses: SocketAddress[] = [];

  add(address: SocketAddress): void {
    this.#addresses.push(address);
  }

  has({ host, port }: SocketAddress): boolean {
    return this.#addresses.some(
      (own) => own.port === port && (own.host === host || (wildcards.has(own.host) && isOfThisMachine(host))),
    );
  }
}

function isOfThisMachine(host: string): boolean {
  return Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === host));
}
