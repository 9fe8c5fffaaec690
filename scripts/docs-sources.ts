import { cliErrors } from '../src/cli/errors.ts';
import { declareUnreadable } from '../src/destination/kube/policy/tell-unreadable.ts';
import { DestinationMetrics } from '../src/destination/destination-metrics.ts';
import { destinationErrors } from '../src/destination/errors.ts';
import { destinationSettings } from '../src/destination/settings.ts';
import { BundleCensus } from '../src/identity/bundle-census.ts';
import { identityErrors } from '../src/identity/errors.ts';
import { publisherMetrics } from '../src/identity/cluster/publisher-metrics.ts';
import { declareExpiryForecast } from '../src/identity/issuer-status.ts';
import { identityMetrics } from '../src/identity/identity-metrics.ts';
import { identitySettings } from '../src/identity/settings.ts';
import { tokenReviewMetrics } from '../src/identity/token/token-review-metrics.ts';
import { certManagerErrors } from '../src/issuers/cert-manager/errors.ts';
import { issuerErrors } from '../src/issuers/errors.ts';
import { declareIssuerTtl, issuerMetrics } from '../src/issuers/issuer-metrics.ts';
import { fallbackCertificates } from '../src/issuers/outage/fallback-issuer.ts';
import { guardMetrics } from '../src/issuers/outage/guard-metrics.ts';
import { vaultErrors } from '../src/issuers/vault/errors.ts';
import { vaultMetrics } from '../src/issuers/vault/vault-metrics.ts';
import { kubeErrors } from '../src/kube/errors.ts';
import { kubeMetrics } from '../src/kube/kube-metrics.ts';
import { pkiErrors } from '../src/pki/errors.ts';
import { proxyErrors } from '../src/proxy/errors.ts';
import { inboundErrors } from '../src/proxy/inbound/errors.ts';
import { outboundErrors } from '../src/proxy/outbound/errors.ts';
import { ProxyMetrics } from '../src/proxy/proxy-metrics.ts';
import { proxySettings } from '../src/proxy/settings/proxy-settings.ts';
import { certifierMetrics } from '../src/rpc/certifier-metrics.ts';
import { rpcErrors } from '../src/rpc/errors.ts';
import { serverMetrics } from '../src/rpc/server-metrics.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { ConnectionCapacity } from '../src/runtime/connection-capacity.ts';
import { createLog } from '../src/runtime/log.ts';
import { Metrics } from '../src/runtime/metrics.ts';
import { declareLostRecords } from '../src/runtime/lost-records.ts';
import { declareProcessMetrics } from '../src/runtime/process-metrics.ts';
import { runtimeErrors } from '../src/runtime/runtime-errors.ts';

/** What docs/configuration.md holds: the table of each process. */
export const configurationPages = [
  { title: 'identity', intro: 'The identity service.', settings: identitySettings },
  { title: 'destination', intro: 'The destination service.', settings: destinationSettings },
  {
    title: 'proxy',
    intro:
      'The proxy, in the names of the wire contract. A duration is a whole number and a unit (`ms`, `s`, `m`, `h`, `d`).',
    settings: proxySettings,
  },
];

/** What docs/errors.md holds. */
export const errorPages = [
  { title: 'Asking for a certificate (identity)', catalogue: identityErrors },
  { title: 'Issuers', catalogue: issuerErrors },
  { title: 'Issuers: cert-manager', catalogue: certManagerErrors },
  { title: 'Issuers: Vault and OpenBao', catalogue: vaultErrors },
  { title: 'Certificates, requests, keys and names', catalogue: pkiErrors },
  { title: 'Destination', catalogue: destinationErrors },
  { title: 'Kubernetes API server (identity, destination)', catalogue: kubeErrors },
  { title: 'Proxy, connections to a peer or the application', catalogue: proxyErrors },
  { title: 'Proxy, outbound', catalogue: outboundErrors },
  { title: 'Proxy, inbound', catalogue: inboundErrors },
  { title: 'Calls between processes', catalogue: rpcErrors },
  { title: 'Every process', catalogue: runtimeErrors },
  { title: 'Command line', catalogue: cliErrors },
];

/** What docs/metrics.md holds: everything that a process declares, in registries that nothing else uses. */
export function metricPages(): { title: string; metrics: Metrics }[] {
  const page = (
    title: string,
    ...declare: ((metrics: Metrics) => unknown)[]
  ): { title: string; metrics: Metrics } => {
    const metrics = new Metrics();
    for (const each of declare) each(metrics);
    return { title, metrics };
  };
  const census = (metrics: Metrics): unknown => new BundleCensus(metrics);
  const issuerTtl = (metrics: Metrics): void =>
    declareIssuerTtl(metrics, systemClock, () => ({ state: 'unavailable', reason: '' }));
  const expiries = (metrics: Metrics): void =>
    declareExpiryForecast(metrics, () => ({ workloads: 0, quiet: 0, first: undefined, within: [] }));
  const capacity = (metrics: Metrics): unknown =>
    new ConnectionCapacity({
      limit: Infinity,
      log: createLog({ name: 'docs' }),
      metrics,
      clock: systemClock,
    });
  const destination = (metrics: Metrics): void =>
    new DestinationMetrics(metrics).countSubscriptions(() => ({
      get: 0,
      get_profile: 0,
      watch_port: 0,
      watch_outbound: 0,
    }));
  const vault = (metrics: Metrics): unknown => vaultMetrics(metrics, systemClock);
  const unreadable = (metrics: Metrics): void => declareUnreadable(metrics, new Map());
  return [
    page('Every process', declareProcessMetrics, (metrics) => declareLostRecords(metrics, () => 0)),
    page('Every gRPC server (identity, destination)', serverMetrics),
    page('Every process with a certificate from identity (destination, proxy)', certifierMetrics),
    page('Every process on Kubernetes (identity, destination)', kubeMetrics),
    page(
      'identity',
      identityMetrics,
      tokenReviewMetrics,
      census,
      publisherMetrics,
      issuerMetrics,
      issuerTtl,
      guardMetrics,
      fallbackCertificates,
      vault,
      expiries,
    ),
    page('destination', destination, unreadable),
    page('proxy', (metrics) => new ProxyMetrics(metrics, systemClock), capacity),
  ];
}
