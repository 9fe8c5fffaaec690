import { isIP } from 'node:net';

import { formatSocketAddress } from '../../runtime/socket-address.ts';
import type { SocketAddress } from '../../runtime/socket-address.ts';
import type { Copy, CopyEnd } from '../transport/engine.ts';
import type { OpenTransport } from './transport-metrics.ts';

/** Both sides of a connection count the bytes of one copy, each from its own point of view. */
export function carry(copy: Copy, source: OpenTransport, destination: OpenTransport): void {
  source.carries({ read: () => copy.fromClient, written: () => copy.fromServer });
  destination.carries({ read: () => copy.fromServer, written: () => copy.fromClient });
}

/** An errno is the fault of the side that failed; the other one was closed in order. */
export function close(
  { failed }: CopyEnd,
  source: OpenTransport,
  destination: OpenTransport | undefined,
): void {
  source.closed(failed?.side === 'client' ? failed.errno : '');
  destination?.closed(failed?.side === 'server' ? failed.errno : '');
}

/** An address or name that a connection is meant for. */
export function targetLabels(target: SocketAddress | undefined) {
  return {
    target_addr: target === undefined ? '' : formatSocketAddress(target),
    target_ip: target !== undefined && isIP(target.host) !== 0 ? target.host : '',
    target_port: target === undefined ? '' : `${target.port}`,
  };
}
