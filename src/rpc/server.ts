import { Server, ServerCredentials } from '@grpc/grpc-js';

import type { Credentials } from '../pki/credentials.ts';
import { errorMessage } from '../runtime/errors.ts';
import { LatestValue } from '../runtime/latest.ts';
import type { Latest } from '../runtime/latest.ts';
import { listen } from '../runtime/listen.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { SocketAddress } from '../runtime/socket-address.ts';
import { callObserver } from './call-observer.ts';
import { Connection, Connections } from './connection.ts';
import { healthService } from './health-service.ts';
import { defaultLimits, grpcServerOptions } from './limits.ts';
import type { ServerLimits } from './limits.ts';
import { serverMetrics } from './server-metrics.ts';
import type { ServerMetrics } from './server-metrics.ts';
import { ServedCalls } from './served-calls.ts';
import type { Service } from './service.ts';
import { TlsAcceptor } from './tls-acceptor.ts';

export interface ServeOptions {
  /** Port 0 takes a free one. */
  readonly address: SocketAddress;
  /** The newest hold for each new connection; while there are none, connections are refused. */
  readonly credentials: Latest<Credentials | undefined>;
  readonly services: readonly Service[];
  readonly limits?: Partial<ServerLimits>;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface RpcServer {
  /** Where it listens. */
  readonly address: SocketAddress;
  /** Takes no more connections, ends streams, lets unary calls finish, and cuts what is left when `deadline` is aborted. */
  close(deadline: AbortSignal): Promise<void>;
}

/**
 * Serves gRPC over mutual TLS, beside it `grpc.health.v1.Health`. Rejects when the address cannot be bound.
 * grpc-js's own listeners refuse clients without ALPN, so connections are taken here and handed over after TLS.
 */
export async function serve(options: ServeOptions): Promise<RpcServer> {
  const { credentials, log } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const metrics = serverMetrics(options.metrics);
  const connections = new Connections();
  const serving = new LatestValue(true);
  const calls = new ServedCalls(log);
  const grpc = new Server({
    ...grpcServerOptions(limits),
    interceptors: [callObserver(connections, metrics, calls.incomplete)],
  });
  const health = healthService(
    options.services.map(({ name }) => name),
    serving,
  );
  for (const service of [...options.services, health]) calls.register(grpc, service);

  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  const acceptor = new TlsAcceptor({
    credentials,
    limits,
    log,
    onConnection: (socket, chain) => {
      connections.add(socket, new Connection(socket, chain));
      metrics.connections.inc();
      socket.once('close', () => metrics.connections.dec());
      injector.injectConnection(socket);
    },
    onRefused: (reason) => metrics.refused.inc({ reason }),
  });
  const address = await listen(acceptor.server, options.address).catch((error: unknown) => {
    acceptor.stop();
    throw error;
  });
  acceptor.server.on('error', (error) => log.error({ error: errorMessage(error) }, 'accept failed'));
  const unsubscribe = credentials.subscribe((newest) => cutUntrusted(connections, newest, metrics));
  return {
    address,
    close: async (deadline) => {
      unsubscribe();
      acceptor.stop();
      serving.set(false);
      calls.endStreams();
      // Sends GOAWAY. Its callback comes before the calls have ended, so the connections are counted here.
      grpc.tryShutdown(() => undefined);
      await connections.count
        .until((open) => open === 0, deadline)
        .catch(() => {
          log.warn({ connections: connections.count.value }, 'grace period over, connections cut');
        });
      grpc.forceShutdown();
      acceptor.cut();
    },
  };
}

/** A client whose anchor was removed, or whose certificate has ended, must not go on only because it connected before that. */
function cutUntrusted(
  connections: Connections,
  newest: Credentials | undefined,
  metrics: ServerMetrics,
): void {
  if (newest === undefined) return;
  for (const connection of connections) {
    if (connection.isTrustedBy(newest.bundle, new Date())) continue;
    metrics.refused.inc({ reason: 'no_longer_trusted' });
    connection.cut();
  }
}
