import { mkdirSync, writeFileSync } from 'node:fs';
import type { Child } from '../../../src/cli/demo/child.ts';
import { freePorts } from '../../../src/cli/demo/free-ports.ts';
import { Mesh } from '../../../src/cli/demo/mesh.ts';
import { destinationProcess, programFile, proxyProcess } from '../../../src/cli/demo/processes.ts';
import type { Settings } from '../../../src/cli/demo/processes.ts';
import { application } from '../../../src/cli/demo/shop.ts';
import { shownChain } from '../../../src/cli/demo/show-certificates.ts';
import { World } from '../../../src/cli/demo/world.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { Relay } from '../../faults/support/relay.ts';
import type { TestCluster } from '../test-cluster.ts';

const ports = [
  ...(['apiApp', 'apiInbound', 'apiForward', 'apiOutbound', 'apiAdmin'] as const),
  ...(['webToApi', 'webInbound', 'webOutbound', 'webAdmin'] as const),
] as const;

/** Both ask for a certificate again every other second, so that each issuer is asked before the next one comes. */
const proxySettings = {
  LINKERD2_PROXY_IDENTITY_MIN_REFRESH: '1s',
  LINKERD2_PROXY_IDENTITY_MAX_REFRESH: '2s',
  LINKERD2_PROXY_INBOUND_CONNECT_TIMEOUT: '10s',
  LINKERD2_PROXY_OUTBOUND_CONNECT_TIMEOUT: '10s',
  LINKERD2_PROXY_SHUTDOWN_GRACE_PERIOD: '5s',
};

/** A client and a server with their proxies, as processes on loopback, and an identity service that is rolled as a Deployment is. */
export class MovingMesh implements AsyncDisposable {
  readonly world: World<(typeof ports)[number]>;
  readonly #mesh: Mesh;
  /** Stands where the Service of identity stands. */
  readonly #service: Relay;
  #identity: Child | undefined;

  private constructor(world: MovingMesh['world']) {
    const { port } = { port: world.ports.identity };
    this.world = world;
    this.#mesh = new Mesh(world, systemClock, new AbortController().signal);
    this.#service = new Relay({ host: '127.0.0.1', port: 0 }, { host: '127.0.0.1', port });
  }

  /** Makes what the processes share: the trust anchors, the tokens of their ServiceAccounts in the cluster, the map of the mesh. */
  static async prepare(cluster: TestCluster, anchors: string): Promise<MovingMesh> {
    const world = await World.create({ prefix: 'kedge-move-', ports, workloads: ['web', 'api'] });
    mkdirSync(world.path('ca'));
    writeFileSync(world.anchorsFile, anchors);
    for (const holder of ['destination', 'web', 'api']) {
      const { namespace, serviceAccount: name } = world.identityOf(holder);
      const token = await cluster.token({ namespace, name }, { audience: 'identity.l5d.io' });
      writeFileSync(world.path('tokens', holder), token);
    }
    world.writeDestination(mapOf(world.ports));
    return new MovingMesh(world);
  }

  /** Starts an identity service with these settings; once it is ready, the one before is asked to end. Gives how that ended. */
  async roll(name: string, settings: Settings): Promise<number | string | undefined> {
    const [port = 0, adminPort = 0] = await freePorts(2);
    const before = this.#identity;
    this.#identity = await this.#mesh.start({
      name: `identity ${name}`,
      program: programFile('identity'),
      adminPort,
      settings: {
        ...settings,
        KEDGE_IDENTITY_LISTEN_ADDR: `127.0.0.1:${port}`,
        KEDGE_ADMIN_LISTEN_ADDR: `127.0.0.1:${adminPort}`,
      },
    });
    this.#service.to = { host: '127.0.0.1', port };
    if (before === undefined) await this.#service.open();
    return before?.stop();
  }

  /** Starts destination, the server, both proxies and a client with one long exchange; gives that client. */
  async open(): Promise<Child> {
    const { world } = this;
    const { ports: at } = world;
    await this.#mesh.start(destinationProcess(world));
    await this.#mesh.start(application('shop-server', at.apiApp));
    const api = { name: 'api', inbound: at.apiInbound, outbound: at.apiOutbound, admin: at.apiAdmin };
    const web = { name: 'web', inbound: at.webInbound, outbound: at.webOutbound, admin: at.webAdmin };
    const plans = [
      { ...api, inboundForward: [[at.apiForward, at.apiApp] as const] },
      { ...web, outboundForward: [[at.webToApi, 'api.shop.svc.cluster.local:80'] as const] },
    ];
    await Promise.all(plans.map((plan) => this.#mesh.start(proxyProcess(world, plan, proxySettings))));
    return this.#mesh.start(application('shop-client', at.webToApi));
  }

  /** Who signed each certificate that a proxy shows, the leaf first; all of them verified up to the anchor. */
  async signers(name: 'web' | 'api'): Promise<string[]> {
    const port = this.world.ports[`${name}Admin`];
    const chain = await shownChain({ world: this.world, clock: systemClock }, name, port);
    return chain.map(({ issuer }) => issuer);
  }

  /** Ends every process; gives those that did not end in order. */
  stop(): Promise<string[]> {
    return this.#mesh.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#service.close();
    this.world.remove();
  }
}

function mapOf({ apiInbound, apiApp }: MovingMesh['world']['ports']): string {
  return `
workloads:
  shop/api-0:
    addresses: [127.0.0.1]
    serviceAccount: api
    proxy: { inboundPort: ${apiInbound} }
    ports:
      "${apiApp}":
        authorizations: [{ name: only-web, serviceAccounts: [shop/web] }]
services:
  shop/api:
    ports:
      "80": { endpoints: [{ workload: shop/api-0, port: ${apiApp} }] }
`;
}
