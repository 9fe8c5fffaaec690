import { destinationHandlers } from '../../src/destination/destination-services.ts';
import { DestinationMetrics } from '../../src/destination/destination-metrics.ts';
import type { EndpointSet } from '../../src/destination/endpoint-set.ts';
import type { EndpointSource } from '../../src/destination/endpoint-source.ts';
import type { Credentials } from '../../src/pki/credentials.ts';
import { destinationService } from '../../src/rpc/destination-api.ts';
import { serve } from '../../src/rpc/server.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { createLog } from '../../src/runtime/log.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { endpointsOfWeight, firstWeight } from './endpoints.ts';
import { serverCredentials } from './material.ts';
import { obey } from './messages.ts';
import type { Material, ServerAnswer, ServerOrder } from './messages.ts';
import { usage } from './usage.ts';

/**
 * A program: the destination service as `src/destination/main.ts` puts it together, but for where its endpoints come
 * from. A file is looked at after a pause, which is not what is measured here.
 */
const endpoints = new LatestValue<EndpointSet | undefined>(endpointsOfWeight(firstWeight));

const notAsked = (): never => {
  throw new Error('expected Get alone to be called');
};
const source: EndpointSource = {
  watchEndpoints: () => ({ state: endpoints, close: () => undefined }),
  watchProfile: notAsked,
  placeOf: () => ({ zone: undefined, node: undefined }),
};

async function start(material: Material): Promise<number> {
  const log = createLog({ name: 'bench' });
  const metrics = new Metrics();
  const handlers = destinationHandlers({
    endpoints: source,
    policies: { watchPolicy: notAsked },
    clusterDomain: 'cluster.local',
    clusterNetworks: [],
    admit: () => undefined,
    log,
    metrics: new DestinationMetrics(metrics),
  });
  const server = await serve({
    address: { host: '127.0.0.1', port: 0 },
    credentials: new LatestValue<Credentials | undefined>(serverCredentials(material)),
    services: [destinationService(handlers.destination)],
    limits: { streamsPerConnection: 10_000 },
    log,
    metrics,
  });
  return server.address.port;
}

obey(async (given, arrivedAtMs): Promise<ServerAnswer> => {
  const order = given as ServerOrder;
  switch (order.kind) {
    case 'serve':
      return { kind: 'serving', port: await start(order.material) };
    case 'change':
      endpoints.set(endpointsOfWeight(order.weight));
      return { kind: 'changed', atMs: arrivedAtMs };
    case 'usage':
      return usage();
  }
});
