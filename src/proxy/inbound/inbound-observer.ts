import type { SocketAddress } from '../../runtime/socket-address.ts';
import type { Copy, CopyEnd } from '../transport/engine.ts';
import type { TransportHeader } from '../transport/transport-header.ts';
import type { PolicyLabels } from './server-policy.ts';

/** How a client's bytes came in (contract 8.3). */
export type InboundTls =
  /** Mesh TLS ended here; the id is undefined where the client proved none. */
  | { readonly tls: 'true'; readonly clientId: string | undefined }
  /** TLS for another name, passed through as it came. */
  | { readonly tls: 'opaque'; readonly sni: string }
  /** No TLS was found, or it was not looked for. */
  | { readonly tls: 'no_identity'; readonly reason: 'no_tls_from_remote' | 'port_skipped' };

/** What policy was asked, and who answered. */
export interface Access {
  readonly target: SocketAddress;
  readonly tls: InboundTls;
  /** Whose policy it was. */
  readonly server: PolicyLabels;
  /** Which rule let the client in; undefined where none did. */
  readonly authorization: PolicyLabels | undefined;
}

/** `terminate` is said of a connection that was allowed before. */
export type Decision = 'allow' | 'deny' | 'terminate';

/** Told of what happens to the connections that reach this pod; proxy-metrics.ts counts it. */
export interface InboundObserver {
  accepted(): ObservedInbound;
}

/** One accepted connection. In the end comes either `refused`, or `connected` and `closed`. */
export interface ObservedInbound {
  /** A direct connection said what it is for. */
  header(header: TransportHeader, clientId: string): void;
  decided(decision: Decision, access: Access): void;
  connected(copy: Copy): void;
  closed(end: CopyEnd): void;
  /** `inboundErrorLabel` gives the label. */
  refused(cause: unknown): void;
}
