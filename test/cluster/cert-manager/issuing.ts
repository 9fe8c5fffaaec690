import { rightsNeeded } from '../../../src/identity/cluster/rights.ts';
import { identitySettings } from '../../../src/identity/settings.ts';
import { createIssuer } from '../../../src/issuers/create-issuer.ts';
import type { IssueRequest, Issuer } from '../../../src/issuers/issuer.ts';
import { watchNamed } from '../../../src/kube/informer.ts';
import { secrets } from '../../../src/kube/resources.ts';
import { Csr } from '../../../src/pki/csr.ts';
import type { TrustBundle } from '../../../src/pki/trust-bundle.ts';
import { MeshDomain } from '../../../src/pki/workload-identity.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { readEnvironment } from '../../../src/runtime/env.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { LogCapture } from '../../support/log-capture.ts';
import type { TestCluster } from '../test-cluster.ts';
import type { Requests } from './requests.ts';

export interface IssuingOptions {
  readonly mode: 'direct' | 'intermediate';
  /** The control namespace. */
  readonly namespace: string;
  readonly anchors: TrustBundle;
  /** Further settings of the identity service. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly replica?: string;
}

const account = 'kedge-identity';

/** The issuer as the identity service has it, on a cluster, with exactly the rights that it says it needs. */
export class Issuing implements AsyncDisposable {
  readonly issuer: Issuer;
  readonly log: LogCapture;
  readonly metrics: Metrics;
  readonly anchors: LatestValue<TrustBundle | undefined>;
  readonly #stop: AbortController;

  private constructor(
    issuer: Issuer,
    parts: Pick<Issuing, 'log' | 'metrics' | 'anchors'>,
    stop: AbortController,
  ) {
    this.issuer = issuer;
    this.log = parts.log;
    this.metrics = parts.metrics;
    this.anchors = parts.anchors;
    this.#stop = stop;
  }

  /** Resolves when the issuer can sign, as far as it knows. */
  static async begin(cluster: TestCluster, options: IssuingOptions): Promise<Issuing> {
    const issuing = await Issuing.beginUnready(cluster, options);
    await issuing.issuer.state.until(({ state }) => state === 'ready', AbortSignal.timeout(30_000));
    return issuing;
  }

  /** For an issuer that is not there yet, or was never allowed anything. */
  static async beginUnready(
    cluster: TestCluster,
    {
      mode,
      namespace,
      anchors: bundle,
      settings = {},
      clock = systemClock,
      replica = 'identity-0',
    }: IssuingOptions,
  ): Promise<Issuing> {
    const environment = {
      ...common,
      ...settings,
      KEDGE_CONTROL_NAMESPACE: namespace,
      KEDGE_ISSUER_MODE: mode,
    };
    const config = readEnvironment(identitySettings, environment);
    await grant(cluster, namespace, config);
    const [log, metrics, stop] = [new LogCapture(), new Metrics(), new AbortController()];
    const client = await cluster.clientAs({ namespace, name: account }, { log, clock, metrics });
    const anchors = new LatestValue<TrustBundle | undefined>(bundle);
    const issuer = await createIssuer(config, {
      ...{ anchors, clock, log, metrics, signal: stop.signal },
      identity: new MeshDomain('kedge', 'cluster.local').identity('kedge', account),
      kube: { client, namespace, replica },
      secret: (name, project) => {
        const followed = watchNamed(
          { namespace, name },
          { client, clock, log, metrics, resource: secrets, project },
        );
        void followed.run(stop.signal);
        return { secrets: followed, key: `${namespace}/${name}` };
      },
    });
    return new Issuing(issuer, { log, metrics, anchors }, stop);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the test is over'));
    return Promise.resolve();
  }
}

const common = {
  KEDGE_ISSUER: 'cert-manager',
  KEDGE_TRUST_ANCHORS_FILE: '/not/read',
} as const;

type Config = Parameters<typeof rightsNeeded>[0];

/** A ServiceAccount with the rights of the settings in the control namespace, and no others. */
async function grant(cluster: TestCluster, namespace: string, config: Config): Promise<void> {
  const metadata = { namespace, name: account };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: account };
  const subjects = [{ kind: 'ServiceAccount', namespace, name: account }];
  const rules = rightsNeeded(config)
    .filter((right) => right.namespace === namespace)
    .map(({ verb, resource, name }) => ({
      apiGroups: [resource.group],
      resources: [resource.plural],
      verbs: [verb],
      ...(name !== undefined && { resourceNames: [name] }),
    }));
  const rbac = 'rbac.authorization.k8s.io/v1';
  const items = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: rbac, kind: 'Role', metadata, rules },
    { apiVersion: rbac, kind: 'RoleBinding', metadata, roleRef, subjects },
  ];
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await cluster.kubectl(['apply', '-f', '-'], { input });
}

/** An issuer on trial with the requests that it makes. */
export class Trial implements AsyncDisposable {
  readonly issuing: Issuing;
  readonly requests: Requests;

  constructor(issuing: Issuing, requests: Requests) {
    this.issuing = issuing;
    this.requests = requests;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.issuing[Symbol.asyncDispose]();
  }
}

export interface AskOptions {
  /** The name of its ServiceAccount in the namespace `shop`. */
  readonly name?: string;
  /** `false`: a signing request of the DNS name alone, as Linkerd's proxy makes it. */
  readonly uri?: boolean;
  readonly lifetimeMs?: number;
}

/** What `Certify` asks of an issuer for a workload with a key of its own, for an hour. */
export function askFor({ name = 'web', uri = true, lifetimeMs = 3_600_000 }: AskOptions = {}): IssueRequest {
  const identity = new MeshDomain('kedge', 'cluster.local').identity('shop', name);
  const { dnsName, spiffeId } = identity;
  const nowMs = Math.floor(Date.now() / 1000) * 1000;
  return {
    identity,
    csr: Csr.parse(buildCsr({ dnsNames: [dnsName], ...(uri && { uris: [spiffeId] }) })),
    dnsName,
    uri: spiffeId,
    notBefore: new Date(nowMs - 20_000),
    notAfter: new Date(nowMs + lifetimeMs),
  };
}
