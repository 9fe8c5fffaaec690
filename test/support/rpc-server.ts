import type { Credentials } from '../../src/pki/credentials.ts';
import type { TrustBundle } from '../../src/pki/trust-bundle.ts';
import { MeshDomain } from '../../src/pki/workload-identity.ts';
import { connectChannel } from '../../src/rpc/connect-channel.ts';
import type { Channel } from '../../src/rpc/channel.ts';
import type { ServerLimits } from '../../src/rpc/limits.ts';
import { serve } from '../../src/rpc/server.ts';
import type { Service } from '../../src/rpc/service.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import type { SocketAddress } from '../../src/runtime/socket-address.ts';
import { LogCapture } from './log-capture.ts';
import { TestCa } from './test-ca.ts';

export const testDomain = new MeshDomain('kedge', 'cluster.local');
export const serverIdentity = testDomain.identity('kedge', 'kedge-identity');
export const clientIdentity = testDomain.identity('shop', 'web');

export interface TestServerOptions {
  readonly ca?: TestCa;
  /** The server's own; a leaf of `ca` for `serverIdentity` unless given. */
  readonly credentials?: LatestValue<Credentials | undefined>;
  readonly limits?: Partial<ServerLimits>;
  /** A free one unless given. */
  readonly port?: number;
}

export interface TestServer extends AsyncDisposable {
  readonly address: SocketAddress;
  readonly ca: TestCa;
  readonly credentials: LatestValue<Credentials | undefined>;
  readonly log: LogCapture;
  readonly metrics: Metrics;
  close(deadline: AbortSignal): Promise<void>;
  /** A channel to it; what is not given is as it should be. `undefined` credentials show no certificate. */
  connect(options?: TestChannelOptions): Channel & Disposable;
}

export interface TestChannelOptions {
  readonly credentials?: LatestValue<Credentials | undefined>;
  readonly bundle?: LatestValue<TrustBundle>;
  readonly serverName?: string;
  readonly log?: LogCapture;
  readonly clock?: Clock;
}

/** A real server on a free port of the loopback. */
export async function startServer(
  services: readonly Service[],
  options: TestServerOptions = {},
): Promise<TestServer> {
  const ca = options.ca ?? TestCa.create();
  const credentials =
    options.credentials ??
    new LatestValue<Credentials | undefined>(ca.leaf({ identity: serverIdentity }).credentials());
  const log = new LogCapture();
  const metrics = new Metrics();
  const server = await serve({
    address: { host: '127.0.0.1', port: options.port ?? 0 },
    credentials,
    services,
    log,
    metrics,
    ...(options.limits && { limits: options.limits }),
  });
  return {
    address: server.address,
    ca,
    credentials,
    log,
    metrics,
    close: (deadline) => server.close(deadline),
    connect: (channel = {}) => connectTo(server.address, ca, channel),
    [Symbol.asyncDispose]: () => server.close(AbortSignal.abort()),
  };
}

/** Credentials of `clientIdentity`, as a channel wants them. */
export function clientCredentials(ca: TestCa): LatestValue<Credentials | undefined> {
  return new LatestValue<Credentials | undefined>(ca.leaf({ identity: clientIdentity }).credentials());
}

/** A channel to a server whose anchors are those of the CA. */
export function connectTo(
  address: SocketAddress,
  ca: TestCa,
  options: TestChannelOptions,
): Channel & Disposable {
  const channel = connectChannel({
    address,
    serverName: options.serverName ?? serverIdentity.dnsName,
    credentials: options.credentials ?? new LatestValue<Credentials | undefined>(undefined),
    bundle: options.bundle ?? new LatestValue(ca.bundle),
    log: options.log ?? new LogCapture(),
    reconnect: { minMs: 20, maxMs: 50 },
    ...(options.clock && { clock: options.clock }),
  });
  return Object.assign(channel, { [Symbol.dispose]: () => channel.close() });
}
