import type { SocketAddress } from '../../runtime/socket-address.ts';
import type { Copy, CopyEnd } from '../transport/engine.ts';
import type { Endpoint } from './endpoint.ts';

/** Told of what happens to the connections that leave this pod; proxy-metrics.ts counts it. */
export interface OutboundObserver {
  /** `target` is where the client wanted to go; undefined where that is not known. */
  accepted(target: SocketAddress | undefined): ObservedOutbound;
  /** An endpoint did not take a connection; the next one may. */
  endpointFailed(endpoint: Endpoint, cause: unknown): void;
}

/** One accepted connection; either `refused` or `connected` and `closed` follow. */
export interface ObservedOutbound {
  connected(endpoint: Endpoint, copy: Copy): void;
  closed(end: CopyEnd): void;
  refused(cause: unknown): void;
}
