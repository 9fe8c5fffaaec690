import { connectKube } from '../../kube/connect-kube.ts';
import type { SourceNeeds, Sources } from '../sources.ts';
import { Cluster } from './cluster.ts';
import { clusterInformers } from './cluster-informers.ts';
import { KubeEndpointSource } from './kube-endpoint-source.ts';
import { KubePolicySource } from './policy/kube-policy-source.ts';
import { policyInformers } from './policy/policy-informers.ts';
import { keepRouteStatuses } from './policy/route-statuses.ts';
import { tellUnreadable } from './policy/tell-unreadable.ts';
import { ViewFailures } from './view-failures.ts';
import { tellInformers } from './tell-informers.ts';

/** Follows the cluster until the process ends. Rejects with `kube_config_invalid`. */
export async function kubeSources({
  settings,
  domain,
  context,
  metrics: counted,
}: SourceNeeds): Promise<Sources> {
  const { log, clock, metrics, readiness, signal } = context;
  const client = await connectKube(settings, { name: 'kedge-destination', log, clock, metrics });
  const common = { client, clock, log, metrics };
  const clusterKinds = clusterInformers(common);
  const policyKinds = policyInformers(common, domain);
  const informers = { ...clusterKinds, ...policyKinds };
  const cluster = new Cluster(clusterKinds);
  const failures = new ViewFailures({ log, clock, metrics: counted });
  const { opaquePorts } = settings;
  const defaults = {
    policy: settings.defaultInboundPolicy,
    clusterNetworks: settings.clusterNetworks,
    opaquePorts,
  };
  const policies = new KubePolicySource(cluster, policyKinds, defaults, failures);
  const { protocols } = policies;
  const endpoints = new KubeEndpointSource(cluster, { domain, opaquePorts, protocols, log }, failures);
  tellUnreadable(informers, { log, clock, metrics });
  tellInformers(informers, readiness);
  void keepRouteStatuses(policyKinds, { client, log, clock }, signal);
  for (const informer of Object.values(informers)) void informer.run(signal);
  return { endpoints, policies };
}
