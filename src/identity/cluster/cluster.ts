import { hostname } from 'node:os';
import type { CaTexts, SecretData } from '../../issuers/local/secret-source.ts';
import type { FollowedSecret } from '../../issuers/create-issuer.ts';
import type { DataObject } from '../../issuers/own-ca/settle-object.ts';
import { connectKube } from '../../kube/connect-kube.ts';
import { EventRecorder } from '../../kube/event-recorder.ts';
import type { ObjectReference } from '../../kube/event-series.ts';
import { informer, watchNamed, type Informer, type InformerOptions } from '../../kube/informer.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import type { KubeConnection } from '../../kube/kube-watch.ts';
import type { PathReader } from '../../kube/path-reader.ts';
import { configMaps, namespaces, secrets } from '../../kube/resources.ts';
import { Certificate } from '../../pki/certificate.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ValuesOf } from '../../runtime/env.ts';
import { LatestValue } from '../../runtime/latest.ts';
import type { Log } from '../../runtime/log.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { BundlePlace } from '../anchors-place.ts';
import type { Health } from '../health.ts';
import type { identitySettings } from '../settings.ts';
import { awaitAccess } from './access-check.ts';
import { bundleTextOf } from './bundle-config-map.ts';
import type { NamespaceState } from './bundle-publisher.ts';
import { rightsNeeded } from './rights.ts';

/** The field manager, the name in Events and in the API server's audit log. */
export const controllerName = 'kedge-identity';

export type IdentityConfig = ValuesOf<typeof identitySettings>;

export interface ClusterNeeds {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly signal: AbortSignal;
}

/** The cluster as this process sees it; everything is followed until the signal of its needs is aborted. */
export class Cluster {
  readonly client: KubeConnection & PathReader;
  readonly recorder: EventRecorder;
  /** This replica. */
  readonly instance = hostname();
  /** What Events of the service itself are about. */
  readonly service: ObjectReference;
  readonly #config: IdentityConfig;
  readonly #needs: ClusterNeeds;

  private constructor(client: KubeConnection & PathReader, config: IdentityConfig, needs: ClusterNeeds) {
    const { clock, log, metrics, signal } = needs;
    this.client = client;
    this.#config = config;
    this.#needs = needs;
    const { controlNamespace: namespace, serviceAccount: name } = config;
    this.service = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name };
    const who = { controller: controllerName, instance: this.instance };
    this.recorder = new EventRecorder({ client, ...who, clock, log, metrics });
    void this.recorder.run(signal);
  }

  /** Rejects with `kube_config_invalid`; an API server that is away is waited for by whoever needs it. */
  static async join(config: IdentityConfig, needs: ClusterNeeds): Promise<Cluster> {
    const { clock, log, metrics } = needs;
    const client = await connectKube(config, { name: controllerName, log, clock, metrics });
    const cluster = new Cluster(client, config, needs);
    cluster.#checkAccess();
    return cluster;
  }

  /** One of the control namespace, and what is kept of it. */
  secret(name: string, project: (secret: SecretData) => CaTexts): FollowedSecret {
    const namespace = this.#config.controlNamespace;
    const place = { namespace, name };
    const followed = watchNamed(place, { ...this.#followed, resource: secrets, project });
    this.#follow('issuer-secret', followed);
    return { secrets: followed, key: `${namespace}/${name}` };
  }

  /** The certificate that a Secret of the control namespace begins with, as a collection of at most one; not its key. */
  certificate(name: string): Informer<Certificate | undefined> {
    const place = { namespace: this.#config.controlNamespace, name };
    const options = { ...this.#followed, resource: secrets, project: firstCertificate };
    return this.#follow('webhook-certificate', watchNamed(place, options));
  }

  /** The bundle of somebody else, as a collection of one. */
  bundleAt({ namespace, name, key }: BundlePlace): Informer<string> {
    const project = (object: DataObject): string => bundleTextOf(object, key);
    const options = { ...this.#followed, resource: configMaps, project };
    return this.#follow('trust-anchors-config-map', watchNamed({ namespace, name }, options));
  }

  /** The bundles in the ConfigMaps of this name in all namespaces. */
  bundles(name: string): Informer<string> {
    const project = (object: DataObject): string => bundleTextOf(object);
    const options = { ...this.#followed, resource: configMaps, project };
    return this.#follow('trust-bundles', watchNamed({ name }, options));
  }

  namespaces(): Informer<NamespaceState> {
    return this.#follow(
      'namespaces',
      informer({ ...this.#followed, resource: namespaces, project: namespaceState }),
    );
  }

  get #followed(): Pick<InformerOptions<unknown>, 'client' | 'clock' | 'log' | 'metrics'> {
    const { clock, log, metrics } = this.#needs;
    return { client: this.client, clock, log, metrics };
  }

  #follow<T>(part: string, followed: Informer<T>): Informer<T> {
    const { health, signal } = this.#needs;
    followed.problem.subscribe((problem) => health.degraded(part, problem));
    void followed.run(signal);
    return followed;
  }

  /** Not ready before it was allowed all it needs; what is allowed already works meanwhile. */
  #checkAccess(): void {
    const { clock, log, health, signal } = this.#needs;
    const granted = new LatestValue(false);
    health.waitFor('access', granted, (value) => value);
    const waiting = (reason: string): void => health.degraded('access', reason);
    void awaitAccess(rightsNeeded(this.#config), { client: this.client, clock, log, waiting }, signal).then(
      () => {
        health.degraded('access', undefined);
        granted.set(true);
      },
      () => undefined,
    );
  }
}

interface NamespaceObject extends KubeObject {
  readonly status?: { readonly phase?: string };
}

function namespaceState({ metadata, status }: NamespaceObject): NamespaceState {
  return { ending: metadata.deletionTimestamp !== undefined || status?.phase === 'Terminating' };
}

/** None where there is none that can be read: whoever serves with it knows better than what is told here. */
function firstCertificate({ data }: SecretData): Certificate | undefined {
  try {
    return Certificate.parsePem(Buffer.from(data?.['tls.crt'] ?? '', 'base64').toString('utf8'))[0];
  } catch {
    return undefined;
  }
}
