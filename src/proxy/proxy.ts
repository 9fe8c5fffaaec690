import { destinationClient } from '../rpc/destination-api.ts';
import { inboundPolicyClient } from '../rpc/inbound-policy-api.ts';
import { keepCredentials } from '../rpc/own-credentials.ts';
import type { OwnCredentials, OwnCredentialsOptions } from '../rpc/own-credentials.ts';
import { adminServer } from '../runtime/admin-server.ts';
import { ConnectionCapacity } from '../runtime/connection-capacity.ts';
import { connectionsPossible } from '../runtime/descriptors.ts';
import type { Latest } from '../runtime/latest.ts';
import type { ProcessContext } from '../runtime/lifecycle.ts';
import type { SocketAddress } from '../runtime/socket-address.ts';
import { listenAdmin } from './admin-listener.ts';
import { controlService } from './control-plane.ts';
import type { ControlService } from './control-plane.ts';
import { defaultPolicy } from './inbound/default-policy.ts';
import { InboundListeners } from './inbound/inbound-listeners.ts';
import { PolicyStore } from './inbound/policy-store.ts';
import { dialledDestination, fixedDestination } from './original-destination.ts';
import { Connector } from './outbound/connector.ts';
import { OutboundListeners } from './outbound/outbound-listeners.ts';
import { OwnListeners } from './outbound/own-listeners.ts';
import { Resolver } from './outbound/resolver.ts';
import { ProxyMetrics } from './proxy-metrics.ts';
import type { ProxySettings } from './settings/proxy-settings.ts';
import { localIdentity, outboundListenAddresses } from './settings/checks.ts';
import type { Engine } from './transport/engine.ts';
import { StreamEngine } from './transport/stream-engine.ts';

/** Where a proxy listens, once it does. */
export interface ProxyAddresses {
  readonly admin: SocketAddress;
  readonly inbound: SocketAddress;
  /** In the order of the settings. */
  readonly inboundForwards: readonly SocketAddress[];
  readonly outbound: readonly SocketAddress[];
  readonly outboundForwards: readonly SocketAddress[];
}

/** A connection has two sides; the rest is for the admin pages, the control plane, listeners and files. */
const descriptorsNeeded = { each: 2, spare: 24 };

/** What the parts of one proxy share. */
interface Parts {
  readonly settings: ProxySettings;
  readonly context: ProcessContext;
  readonly own: OwnCredentials;
  readonly engine: Engine;
  readonly metrics: ProxyMetrics;
  readonly capacity: ConnectionCapacity;
  /** Ends everything that runs beside the connections. */
  readonly life: AbortSignal;
}

/**
 * Starts a proxy: the admin pages first, so that what is missing can be seen; then its certificate, which nobody waits
 * for; then inbound and outbound. All listeners stand when this resolves, and hold connections until they can be served.
 */
export async function startProxy(settings: ProxySettings, context: ProcessContext): Promise<ProxyAddresses> {
  const life = new AbortController();
  const own = keepCredentials(certification(settings), context, life.signal);
  const admin = await startAdmin(settings, context, own);
  context.onClose('control plane', () => {
    life.abort();
    return Promise.resolve();
  });
  const { clock } = context;
  const engine = new StreamEngine({ credentials: own.credentials, clock, groups: settings.tlsGroups });
  const metrics = new ProxyMetrics(context.metrics, clock);
  const limit = connectionsPossible(descriptorsNeeded);
  const capacity = new ConnectionCapacity({ ...context, limit });
  const parts: Parts = { settings, context, own, engine, metrics, capacity, life: life.signal };
  const inbound = inboundListeners(parts);
  const outbound = outboundListeners(parts);
  // Together, so that neither goes on to accept while the other one drains.
  context.onClose('connections', async (deadline) => {
    const closing = [inbound.close(deadline), outbound.close(deadline)] as const;
    const [fromPeers, fromApplication] = await Promise.all(closing);
    if (fromPeers + fromApplication === 0) return;
    context.log.warn({ inbound: fromPeers, outbound: fromApplication }, 'grace period over, connections cut');
  });
  return {
    admin,
    inbound: await inbound.listen(settings.inboundListen, dialledDestination),
    inboundForwards: await inOrder(settings.inboundForwards, ({ listen, target }) =>
      inbound.forward(listen, target),
    ),
    outbound: await inOrder(outboundListenAddresses(settings), (address) =>
      outbound.listen(address, dialledDestination),
    ),
    outboundForwards: await inOrder(settings.outboundForwards, ({ listen, target }) =>
      outbound.listen(listen, fixedDestination(target)),
    ),
  };
}

function certification(settings: ProxySettings): OwnCredentialsOptions {
  return {
    identity: localIdentity(settings),
    tokenFile: settings.identityTokenFile,
    identityService: {
      address: settings.identityAddress,
      serverName: settings.identityServiceName,
      reconnect: { minMs: settings.backoffMinMs, maxMs: settings.backoffMaxMs },
    },
    anchors: settings.trustAnchors,
    minRefreshMs: settings.identityMinRefreshMs,
    maxRefreshMs: settings.identityMaxRefreshMs,
    attemptTimeoutMs: settings.identityTimeoutMs,
    withUri: !settings.identityDnsOnly,
  };
}

async function startAdmin(
  settings: ProxySettings,
  context: ProcessContext,
  { credentials }: OwnCredentials,
): Promise<SocketAddress> {
  const { clock, log } = context;
  const serverName = localIdentity(settings).dnsName;
  const options = { pages: adminServer(context), serverName, credentials, clock, log };
  const listener = await listenAdmin(settings.adminListen, options);
  context.onClose('admin', () => {
    listener.close();
    return Promise.resolve();
  });
  return listener.address;
}

function inboundListeners(parts: Parts): InboundListeners {
  const { settings, context, own, engine, metrics, capacity, life } = parts;
  const { clock, log } = context;
  const { channel, stream } = connect(parts, settings.policyAddress, settings.policyServiceName);
  const policies = new PolicyStore({
    client: inboundPolicyClient(channel),
    workload: settings.policyWorkload,
    defaultPolicy: (port) =>
      defaultPolicy({
        name: settings.inboundDefaultPolicy,
        clusterNetworks: settings.clusterNetworks ?? [],
        opaque: settings.inboundOpaquePorts.has(port),
      }),
    ports: new Set([...settings.inboundPorts, ...settings.inboundForwards.map(({ target }) => target.port)]),
    idleMs: settings.inboundDiscoveryIdleMs,
    stream,
    clock,
    log,
    signal: life,
  });
  tellOutages(context, 'policy', policies.away);
  return new InboundListeners({
    engine,
    policies,
    credentials: own.credentials,
    observer: metrics.inbound,
    addresses: settings.inboundAddresses,
    serverName: localIdentity(settings).dnsName,
    detectTimeoutMs: settings.inboundDetectTimeoutMs,
    connectTimeoutMs: settings.inboundConnectTimeoutMs,
    idleTimeoutMs: settings.idleTimeoutMs,
    capacity,
    acceptSocket: { keepAliveMs: settings.inboundAcceptKeepAliveMs },
    connectSocket: { keepAliveMs: settings.inboundConnectKeepAliveMs },
    log,
    clock,
  });
}

function outboundListeners(parts: Parts): OutboundListeners {
  const { settings, context, own, engine, metrics, capacity, life } = parts;
  const { clock, log } = context;
  const { channel, stream } = connect(parts, settings.destinationAddress, settings.destinationServiceName);
  const resolver = new Resolver({
    lookup: { client: destinationClient(channel), contextToken: settings.destinationContext, stream },
    scope: { suffixes: settings.profileSuffixes, networks: settings.profileNetworks },
    localAddresses: new Set(settings.inboundAddresses),
    ejection: stream.backoff,
    idleTimeoutMs: settings.outboundDiscoveryIdleMs,
    clock,
    random: Math.random,
  });
  life.addEventListener('abort', () => resolver.close(), { once: true });
  tellOutages(context, 'destination', resolver.away);
  const ownListeners = new OwnListeners();
  const connector = new Connector({
    resolver,
    dial: {
      engine,
      connectTimeoutMs: settings.outboundConnectTimeoutMs,
      socket: { keepAliveMs: settings.outboundConnectKeepAliveMs },
      ownListeners,
    },
    credentials: own.credentials,
    holdTimeoutMs: settings.outboundHoldTimeoutMs,
    clock,
    observer: metrics.outbound,
  });
  return new OutboundListeners({
    engine,
    connector,
    observer: metrics.outbound,
    log,
    clock,
    idleTimeoutMs: settings.idleTimeoutMs,
    socket: { keepAliveMs: settings.outboundAcceptKeepAliveMs },
    capacity,
    ownListeners,
  });
}

function connect(
  { settings, context, own, life }: Parts,
  address: SocketAddress,
  serverName: string | undefined,
): ControlService {
  const { clock, log } = context;
  return controlService({ address, serverName, settings, own, clock, log }, life);
}

function tellOutages(
  { log, readiness }: ProcessContext,
  service: 'destination' | 'policy',
  away: Latest<string | undefined>,
): void {
  away.subscribe((reason) => {
    readiness.degraded(service, reason);
    if (reason === undefined) log.info({}, `the ${service} service answers again`);
    else log.warn({ error: reason }, `the ${service} service is away; what it told stays in use`);
  });
}

async function inOrder<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await run(item));
  return results;
}
