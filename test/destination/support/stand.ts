import { admission } from '../../../src/destination/client-rule.ts';
import type { ClientRule } from '../../../src/destination/client-rule.ts';
import { DestinationMetrics } from '../../../src/destination/destination-metrics.ts';
import { destinationHandlers } from '../../../src/destination/destination-services.ts';
import type { Catalogue } from '../../../src/destination/file/catalogue.ts';
import { FileSource } from '../../../src/destination/file/file-source.ts';
import type { Credentials } from '../../../src/pki/credentials.ts';
import { destinationClient, destinationService } from '../../../src/rpc/destination-api.ts';
import type { DestinationClient } from '../../../src/rpc/destination-api.ts';
import { inboundPolicyClient, inboundPolicyService } from '../../../src/rpc/inbound-policy-api.ts';
import type { InboundPolicyClient } from '../../../src/rpc/inbound-policy-api.ts';
import { outboundPolicyClient, outboundPolicyService } from '../../../src/rpc/outbound-policy-api.ts';
import type { OutboundPolicyClient } from '../../../src/rpc/outbound-policy-api.ts';
import type { Latest } from '../../../src/runtime/latest.ts';
import { IpNetwork } from '../../../src/runtime/ip-network.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import type { SocketAddress } from '../../../src/runtime/socket-address.ts';
import { eventually } from '../../support/eventually.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { startServer } from '../../support/rpc-server.ts';
import type { TestLeaf } from '../../support/test-ca.ts';
import { TestCa } from '../../support/test-ca.ts';
import { mesh, readText } from './mesh.ts';

export const ca = TestCa.create();

export interface StandOptions {
  /** The destination file; undefined for none loaded yet. */
  readonly file?: string | undefined;
  /** What follows a file on disk, in place of one that the test changes. */
  readonly loaded?: Latest<Catalogue | undefined>;
  readonly clients?: ClientRule;
  /** What the client shows; nothing unless given. */
  readonly leaf?: TestLeaf;
}

export interface Stand extends AsyncDisposable {
  readonly destination: DestinationClient;
  readonly inboundPolicy: InboundPolicyClient;
  readonly outboundPolicy: OutboundPolicyClient;
  /** The path of every method that is served. */
  readonly methods: readonly string[];
  readonly address: SocketAddress;
  readonly log: LogCapture;
  /** Switches to another file, given as its text or read before. */
  use(file: string | Catalogue): void;
  /** The value of a metric, its labels written as they are shown. */
  metric(name: string): Promise<number>;
}

/** The services of the destination process behind real TLS on loopback, on a catalogue that tests change at will. */
export async function startStand({ file, loaded, clients = 'any', leaf }: StandOptions): Promise<Stand> {
  const log = new LogCapture();
  const metrics = new Metrics();
  const catalogue = new LatestValue<Catalogue | undefined>(file === undefined ? undefined : readText(file));
  const source = new FileSource(loaded ?? catalogue);
  const handlers = destinationHandlers({
    endpoints: source,
    policies: source,
    clusterDomain: 'cluster.local',
    clusterNetworks: [IpNetwork.parse('10.0.0.0/8')!],
    admit: admission(clients, mesh),
    log,
    metrics: new DestinationMetrics(metrics),
  });
  const services = [
    destinationService(handlers.destination),
    inboundPolicyService(handlers.inboundPolicy),
    outboundPolicyService(handlers.outboundPolicy),
  ];
  const server = await startServer(services, { ca });
  const channel = server.connect({
    credentials: new LatestValue<Credentials | undefined>(leaf?.credentials()),
  });
  return {
    destination: destinationClient(channel),
    inboundPolicy: inboundPolicyClient(channel),
    outboundPolicy: outboundPolicyClient(channel),
    methods: services.flatMap(({ methods }) => methods.map(({ path }) => path)),
    address: server.address,
    log,
    use: (next) => catalogue.set(typeof next === 'string' ? readText(next) : next),
    metric: async (name) => valueOf(name, await metrics.text()),
    [Symbol.asyncDispose]: async () => {
      // The readers have left; a server that is cut before it knows leaves half a connection behind in the client.
      await eventually(async () => {
        if (/^kedge_destination_streams.* [1-9]/m.test(await metrics.text()))
          throw new Error('a stream is still open');
      });
      channel[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function valueOf(name: string, text: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  if (line === undefined) throw new Error(`expected a metric ${name}, got none`);
  return Number(line.slice(name.length + 1));
}
