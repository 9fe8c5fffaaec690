import { destinationProcess, identityProcess, proxyProcess } from '../../src/cli/demo/processes.ts';
import type { ProxyPlan } from '../../src/cli/demo/processes.ts';
import type { World } from '../../src/cli/demo/world.ts';
import { onCore } from '../processes/on-core.ts';
import type { Processes } from '../processes/processes.ts';
import { startBundled } from '../processes/start-bundled.ts';
import type { Pair } from './pair.ts';

export const kedgePorts = [
  'apiApp',
  'apiInbound',
  'apiOutbound',
  'apiAdmin',
  'webToApi',
  'webInbound',
  'webOutbound',
  'webAdmin',
] as const;

export type KedgeWorld = World<(typeof kedgePorts)[number]>;

/**
 * A whole mesh from its bundles: the pair has certificates of the identity service, and its endpoints and its policy of
 * the destination service. The way is the one between two meshed pods: look-up, balancer, ALPN and transport header,
 * both chains verified twice, policy, metrics. `groups` are those of the key exchange.
 */
export async function startKedgePair(
  name: string,
  world: KedgeWorld,
  processes: Processes,
  groups: string,
): Promise<Pair> {
  const { ports } = world;
  world.writeDestination(destinationFile(world));
  const where = { processes, world };
  const services = [
    await startBundled(identityProcess(world), where),
    await startBundled(destinationProcess(world), where),
  ];
  const start = (plan: ProxyPlan, core: 0 | 1): ReturnType<typeof startBundled> => {
    const settings = {
      KEDGE_PROXY_TLS_GROUPS: groups,
      // As long as the peer's: many connections are opened at once, and on a busy machine the default is not enough.
      LINKERD2_PROXY_OUTBOUND_CONNECT_TIMEOUT: '10s',
      LINKERD2_PROXY_INBOUND_CONNECT_TIMEOUT: '10s',
      LINKERD2_PROXY_SHUTDOWN_GRACE_PERIOD: '1s',
    };
    return startBundled(proxyProcess(world, plan, settings), {
      ...where,
      pin: (command) => onCore(core, command),
    });
  };
  const target = 'api.shop.svc.cluster.local:80';
  const proxies = [
    await start({ name: 'web', ...listeners(world, 'web'), outboundForward: [[ports.webToApi, target]] }, 0),
    await start({ name: 'api', ...listeners(world, 'api') }, 1),
  ];
  return {
    name,
    port: ports.webToApi,
    applicationPort: ports.apiApp,
    processIds: proxies.map(({ pid }) => pid),
    lastWords: () => proxies.map((proxy) => proxy.lastWords()).join(''),
    checkRunning: () => {
      for (const each of [...services, ...proxies]) each.checkRunning();
    },
  };
}

function listeners(
  { ports }: KedgeWorld,
  name: 'web' | 'api',
): Pick<ProxyPlan, 'inbound' | 'outbound' | 'admin'> {
  return {
    inbound: ports[`${name}Inbound`],
    outbound: ports[`${name}Outbound`],
    admin: ports[`${name}Admin`],
  };
}

function destinationFile({ ports: { apiInbound, apiApp } }: KedgeWorld): string {
  return `workloads:
  shop/api-0:
    addresses: [127.0.0.1]
    serviceAccount: api
    proxy: { inboundPort: ${apiInbound} }
    ports:
      "${apiApp}":
        authorizations:
          - name: only-web
            serviceAccounts: [shop/web]
services:
  shop/api:
    ports:
      "80":
        endpoints:
          - { workload: shop/api-0, port: ${apiApp} }
`;
}
