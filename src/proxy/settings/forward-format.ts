import { isIP } from 'node:net';

import type { Format } from '../../runtime/formats.ts';
import { parseSocketAddress } from '../../runtime/socket-address.ts';
import type { SocketAddress } from '../../runtime/socket-address.ts';

/** One fixed listener: what connects to `listen` was meant for `target`. */
export interface Forward {
  readonly listen: SocketAddress;
  readonly target: SocketAddress;
}

/** An address to bind: an IP address, since a name may stand for several; port 0 asks the system for one. */
export const listenAddressFormat: Format<SocketAddress> = {
  expected: 'an IP address and port such as "127.0.0.1:4140" or "[::1]:4140"',
  parse: parseListenAddress,
};

/** `127.0.0.1:7001=api.shop.svc.cluster.local:7000`: the target is a name or an address, with a port. */
export const forwardFormat: Format<Forward> = {
  expected: '"listen=target" such as "127.0.0.1:7001=api.shop.svc.cluster.local:7000"',
  parse: (text) => {
    const [listenText = '', targetText = '', ...rest] = text.split('=');
    const listen = parseListenAddress(listenText);
    const target = parseSocketAddress(targetText.trim());
    if (listen === undefined || target === undefined || target.port === 0 || rest.length > 0)
      return undefined;
    return { listen, target };
  },
};

export const ipAddressFormat: Format<string> = {
  expected: 'an IP address such as "10.0.0.1"',
  parse: (text) => (isIP(text) === 0 || text.includes('%') ? undefined : text),
};

function parseListenAddress(text: string): SocketAddress | undefined {
  const address = parseSocketAddress(text.trim());
  return address !== undefined && isIP(address.host) !== 0 ? address : undefined;
}
