import type { Credentials } from '../pki/credentials.ts';
import { MeshDomain } from '../pki/workload-identity.ts';
import { destinationService } from '../rpc/destination-api.ts';
import { inboundPolicyService } from '../rpc/inbound-policy-api.ts';
import { outboundPolicyService } from '../rpc/outbound-policy-api.ts';
import { keepCredentials } from '../rpc/own-credentials.ts';
import { serve } from '../rpc/server.ts';
import type { Service } from '../rpc/service.ts';
import { adminServer } from '../runtime/admin-server.ts';
import type { Latest } from '../runtime/latest.ts';
import type { ProcessContext } from '../runtime/lifecycle.ts';
import { runProcess } from '../runtime/lifecycle.ts';
import { closeServer, listen } from '../runtime/listen.ts';
import type { SocketAddress } from '../runtime/socket-address.ts';
import { certification } from './certification.ts';
import { admission } from './client-rule.ts';
import { DestinationMetrics } from './destination-metrics.ts';
import { destinationHandlers } from './destination-services.ts';
import { readDestinationSettings } from './settings.ts';
import { openSources } from './open-sources.ts';

/**
 * A proxy holds two streams for each of its targets, all on one connection, and beyond this number its lookups would
 * wait without a word. A stream costs some 12 KiB.
 */
const limits = { streamsPerConnection: 10_000 };

await runProcess('destination', async (context) => {
  const { env, log, signal } = context;
  const settings = readDestinationSettings(env);
  log.setLevel(settings.logLevel);
  context.setGracePeriod(settings.shutdownGracePeriod);
  const domain = new MeshDomain(settings.controlNamespace, settings.trustDomain);
  const metrics = new DestinationMetrics(context.metrics);

  const admin = adminServer(context);
  await listen(admin, settings.adminListenAddr);
  context.onClose('admin server', (deadline) => closeServer(admin, deadline));
  const { credentials } = keepCredentials(await certification(settings, domain), context, signal);
  const sources = await openSources({ settings, domain, context, metrics });
  const { clusterDomain, clusterNetworks } = settings;
  const admit = admission(settings.clients, domain);
  const handlers = destinationHandlers({
    ...sources,
    clusterDomain,
    clusterNetworks,
    admit,
    log,
    metrics,
  });
  const destination = [destinationService(handlers.destination)];
  const policy = [
    inboundPolicyService(handlers.inboundPolicy),
    outboundPolicyService(handlers.outboundPolicy),
  ];
  await listenFor('destination', destination, settings.listenAddr, credentials, context);
  await listenFor('policy', policy, settings.policyListenAddr, credentials, context);
});

async function listenFor(
  name: string,
  services: readonly Service[],
  address: SocketAddress,
  credentials: Latest<Credentials | undefined>,
  context: ProcessContext,
): Promise<void> {
  const { log, metrics } = context;
  const server = await serve({ address, credentials, services, limits, log, metrics });
  context.onClose(name, (deadline) => server.close(deadline));
  for (const service of services) log.info({ service: service.name, ...server.address }, 'serving');
}
