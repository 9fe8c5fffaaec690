import path from 'node:path';
import type { Mesh } from './mesh.ts';
import { destinationProcess, identityProcess, proxyProcess } from './processes.ts';
import type { ProcessOptions, ProxyPlan } from './processes.ts';
import { World } from './world.ts';

/** Names of the ports that the demo uses besides those of the two services. */
const shopPorts = [
  'apiApp',
  'apiInbound',
  'apiForward',
  'apiOutbound',
  'apiAdmin',
  'webToApi',
  'webToBilling',
  'webInbound',
  'webOutbound',
  'webAdmin',
  'guestToApi',
  'guestInbound',
  'guestOutbound',
  'guestAdmin',
  'wire',
  'impostor',
] as const;

/** The world of the demo: a shop whose web calls its api, and a guest whom nobody authorized. */
export type ShopWorld = World<(typeof shopPorts)[number]>;

/** Where billing is said to be: on a machine of its own. */
export const impostorAddress = '127.0.0.3';

/** How long a certificate of the demo lives, so that its renewal can be watched. */
export const certificateSeconds = 20;

export async function createShopWorld(): Promise<ShopWorld> {
  const world = await World.create({
    prefix: 'kedge-demo-',
    ports: shopPorts,
    workloads: ['web', 'api', 'guest'],
  });
  world.writeDestination(destinationFile(world));
  return world;
}

/** Starts the two services, each ready before the next starts: destination gets its certificate from identity. */
export async function startControlPlane(mesh: Mesh, world: ShopWorld): Promise<void> {
  await mesh.start(
    identityProcess(world, {
      KEDGE_ISSUANCE_LIFETIME: `${certificateSeconds}s`,
      KEDGE_CLOCK_SKEW_ALLOWANCE: '5s',
    }),
  );
  await mesh.start(destinationProcess(world));
}

/** Starts the server and the three proxies, all at once. */
export async function startDataPlane(mesh: Mesh, world: ShopWorld): Promise<void> {
  const proxies = proxyPlans(world).map((plan) =>
    proxyProcess(world, plan, {
      LINKERD2_PROXY_IDENTITY_MIN_REFRESH: '1s',
      LINKERD2_PROXY_INBOUND_CONNECT_TIMEOUT: '1s',
      LINKERD2_PROXY_OUTBOUND_CONNECT_TIMEOUT: '5s',
      LINKERD2_PROXY_SHUTDOWN_GRACE_PERIOD: '5s',
    }),
  );
  const server = application('shop-server', world.ports.apiApp);
  await Promise.all([server, ...proxies].map((options) => mesh.start(options)));
}

/** One of the demo's own applications, which lie beside this file, bundled or not. */
export function application(name: 'shop-server' | 'shop-client', port: number): ProcessOptions {
  const program = path.join(import.meta.dirname, `${name}${path.extname(import.meta.filename)}`);
  return { name, program, args: [String(port)] };
}

/** The proxies of the server, of the client, and of the guest. */
function proxyPlans({ ports }: ShopWorld): ProxyPlan[] {
  const api = 'api.shop.svc.cluster.local:80';
  return [
    {
      name: 'api',
      inbound: ports.apiInbound,
      outbound: ports.apiOutbound,
      admin: ports.apiAdmin,
      inboundForward: [[ports.apiForward, ports.apiApp]],
    },
    {
      name: 'web',
      inbound: ports.webInbound,
      outbound: ports.webOutbound,
      admin: ports.webAdmin,
      outboundForward: [
        [ports.webToApi, api],
        [ports.webToBilling, 'billing.shop.svc.cluster.local:80'],
      ],
    },
    {
      name: 'guest',
      inbound: ports.guestInbound,
      outbound: ports.guestOutbound,
      admin: ports.guestAdmin,
      outboundForward: [[ports.guestToApi, api]],
    },
  ];
}

/** The map of the mesh; clients reach the api through the wire that the demo listens on. */
function destinationFile({ ports: { wire, apiApp, impostor } }: ShopWorld): string {
  return `# Written by kedge demo.
workloads:
  shop/api-0:
    addresses: [127.0.0.1]
    serviceAccount: api
    proxy: { inboundPort: ${wire} }
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
  shop/billing:
    ports:
      "80":
        endpoints:
          - { address: ${impostorAddress}, port: ${impostor}, serviceAccount: shop/billing }
`;
}
