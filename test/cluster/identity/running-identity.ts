import { makeIssuer } from '../../../src/issuers/own-ca/make-issuer.ts';
import { chainPem } from '../../../src/issuers/own-ca/ca-objects.ts';
import { parseCaKeyPair } from '../../../src/pki/ca-key-pair.ts';
import { Certificate } from '../../../src/pki/certificate.ts';
import { encodePrivateKey } from '../../../src/pki/keys.ts';
import { MeshDomain } from '../../../src/pki/workload-identity.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { fields } from '../../support/protobuf-bytes.ts';
import type { RawAnswer } from '../../support/raw-grpc.ts';
import type { TestCluster } from '../test-cluster.ts';
import { controlNamespace, settings } from './control-namespace.ts';
import { IdentityProcess } from './identity-process.ts';

export const audience = 'identity.l5d.io';
export const identityOf = (name: string): string =>
  `${name}.shop.serviceaccount.identity.kedge.cluster.local`;

interface Data {
  readonly data?: Readonly<Record<string, string>>;
}

/** What kubectl shows of an Event. */
export interface ShownEvent {
  readonly metadata: { readonly name: string };
  readonly reason: string;
  readonly type: string;
  readonly involvedObject: { readonly kind: string; readonly name: string };
  readonly message: string;
}

/** A CA as a Secret may hold it. */
export interface NewIssuer {
  readonly fingerprint: string;
  readonly certificate: string;
  readonly key: string;
}

/** Two replicas of identity beside an API server, and a namespace `shop` with workloads that ask them. */
export class RunningIdentity {
  readonly cluster: TestCluster;
  readonly replicas: IdentityProcess[] = [];
  kubeconfig = '';
  /** As published when the replicas had begun. */
  anchors = '';

  constructor(cluster: TestCluster) {
    this.cluster = cluster;
  }

  async start(): Promise<void> {
    this.kubeconfig = await controlNamespace(this.cluster);
    await this.cluster.createNamespace('shop');
    this.replicas.push(this.another(), this.another());
    await Promise.all(this.replicas.map((replica) => replica.line('own certificate renewed')));
    this.anchors = await this.bundleIn('kedge');
  }

  async end(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.kill()));
  }

  /** One replica more, which the caller ends. */
  another(): IdentityProcess {
    return new IdentityProcess(this.kubeconfig, settings);
  }

  /** The first of the two. */
  get first(): IdentityProcess {
    const [first] = this.replicas;
    if (first === undefined) throw new Error('there is no replica');
    return first;
  }

  /** A new token of a ServiceAccount in `shop` that is good for identity, bound to a pod if told. */
  token(name = 'default', pod?: string): Promise<string> {
    const wish = { audience, ...(pod !== undefined && { pod }) };
    return this.cluster.token({ namespace: 'shop', name }, wish);
  }

  /** Asks a replica for the certificate of a ServiceAccount in `shop`; the signing request may name another. */
  certify(
    token: string,
    name = 'default',
    { replica = this.first, csrName = name }: { replica?: IdentityProcess; csrName?: string } = {},
  ): Promise<RawAnswer> {
    const csr = buildCsr({ dnsNames: [identityOf(csrName)] });
    return replica.certify({ identity: identityOf(name), token, csr }, this.anchors);
  }

  async createPod(name: string, spec: object = {}): Promise<void> {
    const containers = [{ name: 'web', image: 'web' }];
    await this.cluster.expect('/api/v1/namespaces/shop/pods', {
      method: 'POST',
      body: { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers, ...spec } },
    });
  }

  async bundleIn(namespace: string): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/configmaps/kedge-trust-bundle`;
    const { data = {} } = await this.cluster.expect<Data>(path);
    return data['ca-bundle.crt'] ?? '';
  }

  /** The certificate in a Secret of the control namespace. */
  async certificateIn(secret: string): Promise<Certificate> {
    const certificate = Certificate.parsePem(await this.#textIn(secret, 'tls.crt'))[0];
    if (certificate === undefined) throw new Error(`there is no certificate in ${secret}`);
    return certificate;
  }

  /** An issuer of the anchor in the cluster, that is nowhere yet. */
  async newIssuer(lifetimeMs = 3_600_000_000): Promise<NewIssuer> {
    const texts = ['tls.crt', 'tls.key'].map((key) => this.#textIn('kedge-trust-anchor', key));
    const [certificate = '', privateKey = ''] = await Promise.all(texts);
    const pair = await makeIssuer({
      anchor: parseCaKeyPair(certificate, privateKey),
      mesh: new MeshDomain('kedge', 'cluster.local'),
      lifetimeMs,
      now: new Date(),
    });
    const { fingerprint } = pair.certificate;
    return { fingerprint, certificate: chainPem(pair), key: encodePrivateKey(pair.key) };
  }

  /** Has the Secret of the issuer hold these texts and nothing else. */
  async putIssuer(texts: Readonly<Record<string, string>>): Promise<void> {
    const encode = (text: string): string => Buffer.from(text).toString('base64');
    const data = Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, encode(text)]));
    const patch = JSON.stringify([{ op: 'add', path: '/data', value: data }]);
    await this.kubectl(['patch', 'secret', 'kedge-issuer', '--type=json', `--patch=${patch}`]);
  }

  /** In the control namespace. */
  kubectl(args: readonly string[], input?: object): Promise<string> {
    return this.cluster.kubectl(['--namespace=kedge', ...args], {
      ...(input !== undefined && { input: JSON.stringify(input) }),
    });
  }

  async eventsIn(namespace: string): Promise<ShownEvent[]> {
    const text = await this.cluster.kubectl(['get', 'events', `--namespace=${namespace}`, '--output=json']);
    return (JSON.parse(text) as { items: ShownEvent[] }).items;
  }

  /** How many requests for a kind the replicas have made, by verb if told. */
  requests(resource: string, verbs?: readonly string[]): ReturnType<TestCluster['auditLog']> {
    const username = 'system:serviceaccount:kedge:kedge-identity';
    return this.cluster
      .auditLog()
      .filter(
        ({ user, objectRef, verb }) =>
          user.username === username &&
          objectRef?.resource === resource &&
          (verbs === undefined || verbs.includes(verb)),
      );
  }

  async #textIn(secret: string, key: string): Promise<string> {
    const { data = {} } = await this.cluster.expect<Data>(`/api/v1/namespaces/kedge/secrets/${secret}`);
    return Buffer.from(data[key] ?? '', 'base64').toString();
  }
}

/** The certificates of an answer: the leaf, then what is above it. */
export function certificatesOf({ status, message, messages: [answer] }: RawAnswer): Certificate[] {
  if (answer === undefined) throw new Error(`expected a certificate, got ${status}: ${message}`);
  return fields(answer)
    .filter(({ number }) => number <= 2)
    .map(({ value }) => Certificate.parse(value as Buffer));
}
