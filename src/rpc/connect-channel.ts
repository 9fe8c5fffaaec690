import { Client, credentials as grpcCredentials } from '@grpc/grpc-js';
import type { ChannelOptions } from '@grpc/grpc-js';

import type { Credentials } from '../pki/credentials.ts';
import type { TrustBundle } from '../pki/trust-bundle.ts';
import { formatSocketAddress, isLoopback } from '../runtime/socket-address.ts';
import type { SocketAddress } from '../runtime/socket-address.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Latest } from '../runtime/latest.ts';
import type { Log } from '../runtime/log.ts';
import type { Channel } from './channel.ts';
import { ConnectGuard } from './connect-guard.ts';
import { rpcErrors } from './errors.ts';
import { GrpcChannel } from './grpc-channel.ts';
import { MeshChannelCredentials } from './secure-connector.ts';
import { ShownCertificate } from './shown-certificate.ts';

export interface ChannelTarget {
  readonly address: SocketAddress;
  /** The identity the server must prove. Undefined only for a loopback address: plaintext (contract 2.3). */
  readonly serverName: string | undefined;
  /** Undefined for as long as this process is not certified. A certificate that nobody would accept is not shown either. */
  readonly credentials: Latest<Credentials | undefined>;
  readonly bundle: Latest<TrustBundle>;
  readonly log: Log;
  /** Waits between attempts to connect; 100 ms to 10 s unless given. grpc-js adds 20 % of jitter. */
  readonly reconnect?: { readonly minMs: number; readonly maxMs: number };
  readonly clock?: Clock;
}

const handshakeTimeoutMs = 10_000;
const defaultReconnect = { minMs: 100, maxMs: 10_000 };

/** Longer than grpc-js's longest wait between attempts, its jitter included. */
const stuckAfterMs = (maxReconnectMs: number): number => 1.5 * maxReconnectMs + 1_000;

/** Throws `server_name_missing` where an address that is not loopback comes without a server name. */
export function connectChannel(target: ChannelTarget): Channel {
  const { address, serverName, clock = systemClock, reconnect = defaultReconnect } = target;
  if (serverName === undefined && !isLoopback(address.host)) {
    throw rpcErrors.error(
      'server_name_missing',
      `expected a TLS server name beside ${formatSocketAddress(address)}, got none; only loopback addresses may go without`,
    );
  }
  const shown = new ShownCertificate({ ...target, clock });
  const channel = new GrpcChannel((gone, startAfresh) => {
    const guard = new ConnectGuard(clock, stuckAfterMs(reconnect.maxMs), startAfresh);
    gone.addEventListener('abort', () => guard.end(), { once: true });
    const credentials =
      serverName === undefined
        ? grpcCredentials.createInsecure()
        : new MeshChannelCredentials({
            ...target,
            serverName,
            handshakeTimeoutMs,
            clock,
            gone,
            guard,
            shown,
          });
    return new Client(`dns:${formatSocketAddress(address)}`, credentials, channelOptions(reconnect));
  });
  // For as long as it lives, a connection shows what it was made with: servers would go on taking its calls for those
  // of a stranger.
  shown.onBetter(() => channel.startAfresh());
  return channel;
}

/** Clients spread over the replicas that a name resolves to. */
const serviceConfig = { loadBalancingConfig: [{ pick_first: { shuffleAddressList: true } }] };

function channelOptions(reconnect: { readonly minMs: number; readonly maxMs: number }): ChannelOptions {
  return {
    'grpc.initial_reconnect_backoff_ms': reconnect.minMs,
    'grpc.max_reconnect_backoff_ms': reconnect.maxMs,
    // A server that went away without a word is noticed within this time while calls are open.
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    // Control-plane pods move: their name is looked up anew at each reconnect.
    'grpc.dns_min_time_between_resolutions_ms': 1_000,
    'grpc.service_config': JSON.stringify(serviceConfig),
    'grpc.service_config_disable_resolution': 1,
    'grpc.use_local_subchannel_pool': 1,
    // Each of our callers repeats what it wants repeated; proxy variables are not for the mesh.
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_channelz': 0,
  };
}
