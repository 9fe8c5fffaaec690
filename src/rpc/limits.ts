/** What a server grants to clients it does not know. Sizes in bytes, times in ms. */
export interface ServerLimits {
  /** Largest request message. Larger ones are answered RESOURCE_EXHAUSTED as soon as their length is read. */
  readonly messageBytes: number;
  /** Open calls on one connection. */
  readonly streamsPerConnection: number;
  readonly connections: number;
  /** From one IP address, so that a single host cannot take them all. */
  readonly connectionsPerAddress: number;
  /** From accept to the end of TLS. */
  readonly handshakeMs: number;
  /** A connection without calls is closed after this time. */
  readonly idleMs: number;
  /** A connection is asked to go at this age (10 % of jitter), so that clients spread over new replicas and show new certificates. */
  readonly ageMs: number;
  /** And cut this much later, if calls are still open. */
  readonly ageGraceMs: number;
  /** Between pings that find out whether the client is still there, and how long its answer may take. */
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
}

/** A token, a CSR and names fit 64 KiB many times over. HTTP/2 headers are held to 64 KiB by Node itself. */
export const defaultLimits: ServerLimits = {
  messageBytes: 64 * 1024,
  streamsPerConnection: 1_000,
  connections: 10_000,
  connectionsPerAddress: 1_000,
  handshakeMs: 10_000,
  idleMs: 5 * 60_000,
  ageMs: 60 * 60_000,
  ageGraceMs: 30_000,
  keepaliveMs: 60_000,
  keepaliveTimeoutMs: 20_000,
};

/** How much one HTTP/2 session may hold in memory, in megabytes, before Node refuses new streams on it. */
const SESSION_MEGABYTES = 64;

/** The same limits as grpc-js takes them. */
export function grpcServerOptions(limits: ServerLimits): Record<string, number> {
  return {
    'grpc.max_receive_message_length': limits.messageBytes,
    'grpc.max_concurrent_streams': limits.streamsPerConnection,
    'grpc.max_connection_idle_ms': limits.idleMs,
    'grpc.max_connection_age_ms': limits.ageMs,
    'grpc.max_connection_age_grace_ms': limits.ageGraceMs,
    'grpc.keepalive_time_ms': limits.keepaliveMs,
    'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
    'grpc-node.max_session_memory': SESSION_MEGABYTES,
    'grpc.enable_channelz': 0,
  };
}
