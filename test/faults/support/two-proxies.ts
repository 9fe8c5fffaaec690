import type { ProxyAddresses } from '../../../src/proxy/proxy.ts';
import type { Environment } from '../../../src/runtime/env.ts';
import { formatSocketAddress } from '../../../src/runtime/socket-address.ts';
import type { SocketAddress } from '../../../src/runtime/socket-address.ts';
import { TestMesh } from '../../proxy/support/test-mesh.ts';
import { ProxyProcess } from './proxy-process.ts';
import { sample, scrape } from './scrape.ts';

const target = 'api.shop.svc.cluster.local:80';

export interface Side {
  readonly settings?: Environment;
  /** How many file descriptors it may have. */
  readonly descriptors?: number;
}

/** A proxy that is looked at from outside only. */
export class RunningProxy {
  readonly addresses: ProxyAddresses;

  constructor(addresses: ProxyAddresses) {
    this.addresses = addresses;
  }

  /** The sum of a metric's samples whose labels hold all of `labels`. */
  async count(name: string, ...labels: string[]): Promise<number> {
    return sample(await scrape(this.addresses.admin), name, ...labels);
  }

  /** Inbound connections that were refused for this reason. */
  refused(error: string): Promise<number> {
    return this.count('inbound_tcp_errors_total', `error="${error}"`);
  }
}

export interface TwoProxies extends AsyncDisposable {
  readonly mesh: TestMesh;
  readonly client: RunningProxy;
  readonly server: RunningProxy;
  /** Whatever connects here is carried to the application by both proxies. */
  readonly address: SocketAddress;
  /** The server's listener for the application's port. */
  readonly inbound: SocketAddress;
}

/** An application at `app`, its proxy, and the proxy of a client, both in this process. */
export async function twoProxies(
  app: SocketAddress,
  sides: { client?: Environment; server?: Environment } = {},
): Promise<TwoProxies> {
  const mesh = await new TestMesh().start();
  const server = await mesh.proxy('api', { ...serverSettings(app), ...sides.server });
  describeShop(mesh, app, server.addresses);
  const client = await mesh.proxy('web', { ...clientSettings, ...sides.client });
  return together(mesh, server.addresses, client.addresses, () => mesh[Symbol.asyncDispose]());
}

export interface TwoProcesses extends TwoProxies {
  readonly clientProcess: ProxyProcess;
  readonly serverProcess: ProxyProcess;
}

/** The same in a process for each proxy. */
export async function twoProcesses(
  app: SocketAddress,
  sides: { client?: Side; server?: Side } = {},
): Promise<TwoProcesses> {
  await using starting = new AsyncDisposableStack();
  const mesh = starting.use(await new TestMesh().start());
  const start = (name: string, settings: Environment, { settings: more, descriptors }: Side = {}) =>
    starting.use(new ProxyProcess({ ...mesh.environment(name), ...settings, ...more }, descriptors));
  const serverProcess = start('api', serverSettings(app), sides.server);
  const clientProcess = start('web', clientSettings, sides.client);
  const server = await serverProcess.listening();
  describeShop(mesh, app, server);
  const client = await clientProcess.listening();
  const stack = starting.move();
  const proxies = together(mesh, server, client, () => stack.disposeAsync());
  return { ...proxies, clientProcess, serverProcess };
}

const clientSettings = { KEDGE_PROXY_OUTBOUND_FORWARD: `127.0.0.1:0=${target}` };

function serverSettings(app: SocketAddress): Environment {
  return {
    KEDGE_PROXY_INBOUND_FORWARD: `127.0.0.1:0=${formatSocketAddress(app)}`,
    LINKERD2_PROXY_INBOUND_DEFAULT_POLICY: 'all-unauthenticated',
  };
}

function describeShop(mesh: TestMesh, app: SocketAddress, { inbound }: ProxyAddresses): void {
  mesh.know(`
workloads:
  shop/api-0:
    addresses: [127.0.0.1]
    serviceAccount: api
    proxy: { inboundPort: ${inbound.port} }
    ports:
      ${app.port}: { policy: all-unauthenticated }
services:
  shop/api:
    ports:
      80:
        endpoints: [{ workload: shop/api-0, port: ${app.port} }]
`);
}

function together(
  mesh: TestMesh,
  server: ProxyAddresses,
  client: ProxyAddresses,
  dispose: () => Promise<void>,
): TwoProxies {
  return {
    mesh,
    server: new RunningProxy(server),
    client: new RunningProxy(client),
    address: client.outboundForwards[0]!,
    inbound: server.inboundForwards[0]!,
    [Symbol.asyncDispose]: dispose,
  };
}
