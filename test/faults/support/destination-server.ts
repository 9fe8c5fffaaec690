import { destinationHandlers } from '../../../src/destination/destination-services.ts';
import { DestinationMetrics } from '../../../src/destination/destination-metrics.ts';
import type { Catalogue } from '../../../src/destination/file/catalogue.ts';
import { FileSource } from '../../../src/destination/file/file-source.ts';
import { catalogueReader } from '../../../src/destination/file/read-catalogue.ts';
import { destinationService } from '../../../src/rpc/destination-api.ts';
import type { ServerLimits } from '../../../src/rpc/limits.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import type { SocketAddress } from '../../../src/runtime/socket-address.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { startServer, testDomain } from '../../support/rpc-server.ts';
import type { TestServer } from '../../support/rpc-server.ts';
import type { TestCa } from '../../support/test-ca.ts';
import { sample } from './scrape.ts';

const read = catalogueReader(testDomain);

/** The destination service on a port of its own, which can go away and come back there. */
export class DestinationServer implements AsyncDisposable {
  readonly #ca: TestCa;
  readonly #limits: Partial<ServerLimits>;
  readonly #catalogue = new LatestValue<Catalogue | undefined>(undefined);
  #metrics = new Metrics();
  #server: TestServer | undefined;
  #port = 0;

  constructor(ca: TestCa, limits: Partial<ServerLimits> = {}) {
    this.#ca = ca;
    this.#limits = limits;
  }

  /** Begins to listen, at the same address each time. */
  async start(): Promise<this> {
    const source = new FileSource(this.#catalogue);
    this.#metrics = new Metrics();
    const handlers = destinationHandlers({
      endpoints: source,
      policies: source,
      clusterDomain: 'cluster.local',
      clusterNetworks: [],
      admit: () => undefined,
      log: new LogCapture(),
      metrics: new DestinationMetrics(this.#metrics),
    });
    const services = [destinationService(handlers.destination)];
    this.#server = await startServer(services, { ca: this.#ca, limits: this.#limits, port: this.#port });
    this.#port = this.#server.address.port;
    return this;
  }

  /** Goes away at once, as a process that is killed does. */
  async stop(): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    this.#server = undefined;
  }

  /** What it knows from now on, as a destination file; also while it is away. */
  know(yaml: string): void {
    this.#catalogue.set(read(Buffer.from(yaml)));
  }

  get server(): TestServer {
    if (this.#server === undefined) throw new Error('expected the destination service to run');
    return this.#server;
  }

  get address(): SocketAddress {
    return { host: '127.0.0.1', port: this.#port };
  }

  /** The sum of a metric's samples whose labels hold all of `labels`. */
  async sample(name: string, ...labels: string[]): Promise<number> {
    const texts = [await this.#metrics.text(), await this.server.metrics.text()];
    return sample(texts.join('\n'), name, ...labels);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** A destination file in which `api.shop` on port 80 is at these endpoints. */
export function shopAt(...endpoints: { host?: string; port: number; weight?: number }[]): string {
  const lines = endpoints.map(
    ({ host = '127.0.0.1', port, weight = 1 }) =>
      `          - { address: ${host}, port: ${port}, weight: ${weight} }`,
  );
  return `services:\n  shop/api:\n    ports:\n      80:\n        endpoints:\n${lines.join('\n')}\n`;
}
