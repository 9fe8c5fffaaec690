import type { Pausable } from '../../runtime/pausable-listener.ts';
import type { SocketAddress } from '../../runtime/socket-address.ts';

/**
 * The way of the bytes: accepting, dialling, TLS and copying. Inbound and outbound know only these interfaces, so
 * that another engine can stand beside the one made of Node's streams.
 */
export interface Engine {
  /** Accepts plain TCP until closed. Connections are given out before a byte of them is read. */
  listen(
    address: SocketAddress,
    accept: (connection: Connection) => void,
    options?: SocketOptions,
  ): Promise<Listener>;
  /**
   * Ends mesh TLS on an accepted connection, which now belongs to the engine. A client without a certificate is let
   * in as one without an identity; one whose certificate does not verify is reset. Throws `mesh_*` or
   * `connection_reset`.
   */
  terminate(connection: Connection, options: TerminateOptions): Promise<MeshConnection>;
  /** Plain TCP. Throws `connect_*`, or `signal.reason` when aborted. */
  dial(target: SocketAddress, options: DialOptions): Promise<Connection>;
  /** TCP and mesh TLS to exactly one identity. Throws `mesh_*`, `connect_*`, or `signal.reason` when aborted. */
  dialMesh(target: SocketAddress, options: MeshDialOptions): Promise<MeshConnection>;
  /** Carries bytes both ways until both have ended or one has failed. Both connections now belong to the engine. */
  copy(client: Connection, server: Connection, options: CopyOptions): Copy;
}

export interface Listener extends Pausable {
  /** What was bound; its port is never 0. */
  readonly address: SocketAddress;
  /** Stops accepting. Connections already given out live on. */
  close(): void;
}

/** One TCP connection, perhaps with TLS in it, that nobody copies yet. Reading waits until it is asked for. */
export interface Connection {
  /** IP addresses; one mapped into IPv6 is given as the IPv4 address it is. */
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /**
   * Reads from the front until `take` has seen enough; what it does not consume is read again by whoever comes next.
   * Throws what `take` throws, `read_timeout`, or `connection_reset`.
   */
  readFront<T>(take: Take<T>, limits: ReadLimits): Promise<T>;
  /** Sends bytes ahead of those that will be copied. */
  write(bytes: Uint8Array): void;
  /** Ends the connection at once, by a TCP reset where there is still one to end. */
  reset(): void;
}

export interface MeshConnection extends Connection {
  /** Undefined where the client showed no certificate. */
  readonly peer: MeshPeer | undefined;
  readonly alpn: string | undefined;
}

/** Who the other side proved to be. */
export interface MeshPeer {
  /** Its first DNS name or URI that is one (contract 3.1): the name policies know it by. */
  readonly id: string | undefined;
  /** End of its certificate's life. */
  readonly notAfter: Date;
}

/**
 * Looks at the bytes at the front of a connection: undefined asks for more. `last` says that no more will come,
 * because the other side ended or the limit is reached; then it must answer or throw.
 */
export type Take<T> = (bytes: Buffer, last: boolean) => Taken<T> | undefined;

export interface Taken<T> {
  readonly value: T;
  /** How many bytes are gone for whoever reads next. */
  readonly consumed: number;
}

export interface ReadLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

export interface SocketOptions {
  /** Idle time before TCP asks whether the other side is still there; never, unless given. */
  readonly keepAliveMs?: number | undefined;
}

export interface TerminateOptions {
  /** The one protocol to select; a client that offers others only is refused. None is selected unless given. */
  readonly alpn?: string;
  readonly timeoutMs: number;
}

export interface DialOptions extends SocketOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface MeshDialOptions extends DialOptions {
  /** SNI to send. */
  readonly serverName: string;
  /** The DNS name or URI that the server's certificate must hold, byte for byte. */
  readonly expectedIdentity: string;
  /** The one protocol to offer. */
  readonly alpn?: string;
}

export interface CopyOptions {
  /** After how long without a byte, up to twice that, the copy is given up; never, where undefined. */
  readonly idleTimeoutMs: number | undefined;
}

/** Two connections whose bytes are being copied. */
export interface Copy {
  /** Bytes read from each side so far. */
  readonly fromClient: number;
  readonly fromServer: number;
  /** Settles when both connections are closed; never rejects. */
  readonly done: Promise<CopyEnd>;
  /** Resets both connections. */
  stop(): void;
}

export interface CopyEnd {
  /** `ended`: both sides said all they had. `failed`: one was cut. `idle`: timed out. `stopped`: by `stop()`. */
  readonly reason: 'ended' | 'failed' | 'idle' | 'stopped';
  /** The side that was cut, and the code of its error where it had one (`ECONNRESET`). */
  readonly failed?: { readonly side: 'client' | 'server'; readonly errno: string };
}
