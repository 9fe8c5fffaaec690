import type { IssuerNeeds } from '../../issuers/create-issuer.ts';
import type { Issuer } from '../../issuers/issuer.ts';
import type { Informer } from '../../kube/informer.ts';
import { ExpiryAlerts, type Expiring } from '../../kube/expiry-alerts.ts';
import type { TrustBundle } from '../../pki/trust-bundle.ts';
import type { MeshDomain, WorkloadIdentity } from '../../pki/workload-identity.ts';
import type { Latest } from '../../runtime/latest.ts';
import type { AuditEvents } from '../audit.ts';
import { anchorsPlace, ownBundle } from '../anchors-place.ts';
import type { Source } from '../last-good.ts';
import { anchorsConfigMap } from './bundle-config-map.ts';
import { BundlePublisher } from './bundle-publisher.ts';
import { Cluster, controllerName, type ClusterNeeds, type IdentityConfig } from './cluster.ts';
import { expiringNow } from './expiring.ts';
import { IssuanceEvents } from './issuance-events.ts';
import { tellIssuerEvents } from './issuer-events.ts';
import { bootstrapUntilDone, keepRenewed } from './keep-ca.ts';
import { publisherMetrics } from './publisher-metrics.ts';

/** What was asked for that is kept by the API server, and what is done there for it. */
export class InCluster {
  readonly cluster: Cluster;
  /** The anchors in a ConfigMap, where the settings name one. */
  readonly anchors: Source<TrustBundle> | undefined;
  readonly auditEvents: AuditEvents;
  readonly #config: IdentityConfig;
  readonly #mesh: MeshDomain;
  readonly #needs: ClusterNeeds;
  readonly #bundles: Informer<string> | undefined;
  /** What is missing of the CA is there; only where it is made here. */
  #bootstrapped: Promise<void> | undefined;

  private constructor(cluster: Cluster, config: IdentityConfig, mesh: MeshDomain, needs: ClusterNeeds) {
    const { clock, log, signal } = needs;
    const { trustBundleConfigMap: copied, trustAnchorsConfigMap: others } = config;
    this.cluster = cluster;
    this.#config = config;
    this.#mesh = mesh;
    this.#needs = needs;
    this.auditEvents = new IssuanceEvents(cluster.recorder, cluster.service);
    this.#bundles = copied === undefined ? undefined : cluster.bundles(copied);
    const place = anchorsPlace(config);
    if (place === undefined) return;
    const bundles = others === undefined ? this.#bundles : cluster.bundleAt(place);
    const key = `${place.namespace}/${place.name}`;
    if (bundles !== undefined) this.anchors = anchorsConfigMap({ bundles, key, clock, log }, signal);
  }

  /** Follows and makes what was asked for, until the signal of the needs is aborted. */
  static async join(config: IdentityConfig, mesh: MeshDomain, needs: ClusterNeeds): Promise<InCluster> {
    const cluster = await Cluster.join(config, needs);
    const joined = new InCluster(cluster, config, mesh, needs);
    if (config.issuerBootstrap) {
      joined.#bootstrapped = bootstrapUntilDone(config, mesh, cluster, needs);
      inBackground(joined.#bootstrapped, needs);
    }
    if (config.issuer === 'vault' && ownBundle(config)) {
      // Loaded only where it is wanted: the library for Vault is large.
      const { seedBundleUntilDone } = await import('./seed-bundle.ts');
      inBackground(seedBundleUntilDone(config, cluster, needs), needs);
    }
    return joined;
  }

  /** What issuers need of the cluster. */
  get forIssuers(): Required<Pick<IssuerNeeds, 'secret' | 'kube'>> {
    const { client, instance: replica } = this.cluster;
    const namespace = this.#config.controlNamespace;
    return { secret: (...args) => this.cluster.secret(...args), kube: { client, namespace, replica } };
  }

  /** Keeps issuer and bundle as they should be in the cluster, and tells there what becomes of them. */
  keep(issuer: Issuer, anchors: Latest<TrustBundle | undefined>, self: WorkloadIdentity): void {
    const mesh = this.#mesh;
    this.#publish(anchors);
    this.#tell(issuer, anchors);
    if (this.#bootstrapped === undefined) return;
    const kept = { issuer, anchors, mesh, self };
    // Before, a Secret that holds nothing has not been emptied.
    const keeping = this.#bootstrapped.then(() => keepRenewed(this.#config, kept, this.cluster, this.#needs));
    inBackground(keeping, this.#needs);
  }

  #publish(anchors: Latest<TrustBundle | undefined>): void {
    const { clock, log, metrics, health, signal } = this.#needs;
    const { trustBundleConfigMap: name } = this.#config;
    const copies = this.#bundles;
    const source = anchorsPlace(this.#config);
    if (copies === undefined || name === undefined || source === undefined) return;
    const { client } = this.cluster;
    const publisher = new BundlePublisher({
      client,
      namespaces: this.cluster.namespaces(),
      copies,
      name,
      anchors,
      source,
      clock,
      log,
      metrics: publisherMetrics(metrics),
    });
    publisher.problem.subscribe((problem) => health.degraded('trust-bundle-copies', problem));
    inBackground(publisher.run(signal), this.#needs);
  }

  #tell(issuer: Issuer, anchors: Latest<TrustBundle | undefined>): void {
    const { clock, log, signal } = this.#needs;
    const { client, recorder, service, instance } = this.cluster;
    const untell = tellIssuerEvents(issuer.state, recorder, service, clock);
    signal.addEventListener('abort', untell, { once: true });
    const { controlNamespace, webhookCertificateSecret: secret } = this.#config;
    const webhooks = secret === undefined ? undefined : this.cluster.certificate(secret);
    const expiring = (): Expiring[] =>
      expiringNow(this.#config, service, {
        anchors: anchors.value,
        issuer: issuer.state.value,
        webhook: webhooks?.get(`${controlNamespace}/${secret ?? ''}`),
      });
    const alerts = new ExpiryAlerts({ client, controller: controllerName, instance, expiring, clock, log });
    void alerts.run(signal);
  }
}

/** Work in the background that ends with the signal; any other end is a bug. */
function inBackground(work: Promise<void>, { signal }: ClusterNeeds): void {
  work.catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
