import { makeIssuer } from '../../../src/issuers/own-ca/make-issuer.ts';
import { parseCaKeyPair } from '../../../src/pki/ca-key-pair.ts';
import { Certificate } from '../../../src/pki/certificate.ts';
import { encodePrivateKey } from '../../../src/pki/keys.ts';
import { TrustBundle } from '../../../src/pki/trust-bundle.ts';
import { verifyChain } from '../../../src/pki/verify-chain.ts';
import { MeshDomain } from '../../../src/pki/workload-identity.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { eventually } from '../../support/eventually.ts';
import { fields } from '../../support/protobuf-bytes.ts';
import { onKubernetes } from '../on-kubernetes.ts';
import type { TestCluster } from '../test-cluster.ts';
import { access, controlNamespace, settings } from './control-namespace.ts';
import { IdentityProcess } from './identity-process.ts';

const audience = 'identity.l5d.io';
const identityOf = (name: string): string => `${name}.shop.serviceaccount.identity.kedge.cluster.local`;

interface Data {
  readonly metadata: { readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>>;
}

const bundlePath = (namespace: string): string =>
  `/api/v1/namespaces/${namespace}/configmaps/kedge-trust-bundle`;
const secretPath = (name: string): string => `/api/v1/namespaces/kedge/secrets/${name}`;

async function bundleIn(cluster: TestCluster, namespace: string): Promise<string> {
  const { data = {} } = await cluster.expect<Data>(bundlePath(namespace));
  return data['ca-bundle.crt'] ?? '';
}

async function certificateIn(cluster: TestCluster, secret: string): Promise<Certificate> {
  const { data = {} } = await cluster.expect<Data>(secretPath(secret));
  const [certificate] = Certificate.parsePem(Buffer.from(data['tls.crt'] ?? '', 'base64').toString());
  if (certificate === undefined) throw new Error(`there is no certificate in ${secret}`);
  return certificate;
}

async function createPod(cluster: TestCluster, name: string): Promise<void> {
  const spec = { containers: [{ name: 'web', image: 'web' }] };
  await cluster.expect('/api/v1/namespaces/shop/pods', {
    method: 'POST',
    body: { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec },
  });
}

onKubernetes('identity on a real API server', (cluster) => {
  let kubeconfig = '';
  let replicas: IdentityProcess[] = [];
  let anchors = '';

  beforeAll(async () => {
    kubeconfig = await controlNamespace(cluster);
    await cluster.createNamespace('shop');
    replicas = [new IdentityProcess(kubeconfig, settings), new IdentityProcess(kubeconfig, settings)];
    await Promise.all(replicas.map((replica) => replica.line('own certificate renewed')));
    anchors = await bundleIn(cluster, 'kedge');
  }, 120_000);

  afterAll(() => Promise.all(replicas.map((replica) => replica.kill())));

  const certify = (token: string, name = 'web', replica = replicas[0]) => {
    const identity = identityOf(name);
    if (replica === undefined) throw new Error('there is no replica');
    return replica.certify({ identity, token, csr: buildCsr({ dnsNames: [identity] }) }, anchors);
  };

  it('makes one CA with two replicas that begin at once, with no right to create a Secret', async () => {
    const anchor = await certificateIn(cluster, 'kedge-trust-anchor');
    const issuer = await certificateIn(cluster, 'kedge-issuer');
    const bundle = TrustBundle.parsePem(anchors);
    expect(bundle.anchors.map(({ fingerprint }) => fingerprint)).toEqual([anchor.fingerprint]);
    verifyChain({ leaf: issuer, intermediates: [], bundle, at: new Date(), usage: 'ca' });
    for (const replica of replicas) {
      const loaded = await replica.line('issuer loaded');
      expect(loaded['fingerprint']).toBe(issuer.fingerprint);
      await eventually(async () => expect(await replica.ready()).toContain('200 ready'));
      expect(replica.lines.filter(({ level }) => level === 'error')).toEqual([]);
    }
    const path = '/api/v1/namespaces/kedge/events?fieldSelector=type=Warning';
    expect((await cluster.expect<{ items: unknown[] }>(path)).items).toEqual([]);
  });

  it('certifies a ServiceAccount with dots in its name by a token of its pod, and records the pod', async () => {
    await cluster.kubectl(['create', 'serviceaccount', 'web.v1', '-n', 'shop']);
    await createPod(cluster, 'web-0');
    const token = await cluster.token({ namespace: 'shop', name: 'web.v1' }, { audience });
    const answer = await certify(`${token}\n`, 'web.v1');
    expect([answer.status, answer.message]).toEqual([0, 'OK']);
    const leaf = Certificate.parse(fields(answer.messages[0]!)[0]!.value as Buffer);
    expect(leaf.sans.dns).toEqual([identityOf('web.v1')]);
    await eventually(async () => {
      const events = await cluster.kubectl(['get', 'events', '-n', 'shop', '-o', 'json']);
      const { items } = JSON.parse(events) as {
        items: { reason: string; involvedObject: { name: string }; message: string }[];
      };
      const issued = items.find(({ reason }) => reason === 'IssuedLeafCertificate');
      expect(issued?.involvedObject).toMatchObject({ kind: 'ServiceAccount', name: 'web.v1' });
      expect(issued?.message).toContain(leaf.fingerprint);
    });
  });

  it('refuses the token of a pod that was deleted, and says who had it', async () => {
    await createPod(cluster, 'web-1');
    const bound = (): Promise<string> =>
      cluster.token({ namespace: 'shop', name: 'default' }, { audience, pod: 'web-1' });
    expect((await certify(await bound(), 'default')).status).toBe(0);
    const given = replicas[0]?.withMessage('certificate given').at(-1);
    expect(given).toMatchObject({ podName: 'web-1', tokenSubject: 'system:serviceaccount:shop:default' });
    expect(given?.['podUid']).toMatch(/^[0-9a-f-]{36}$/);
    expect(given?.['credentialId']).toMatch(/^JTI=/);
    // Not the one of before: the API server keeps its good word on a token for ten seconds.
    const token = await bound();
    await cluster.kubectl(['delete', 'pod', 'web-1', '-n', 'shop', '--force', '--grace-period=0']);
    await eventually(async () => {
      const { status, message } = await certify(token, 'default');
      expect(status).toBe(9);
      expect(message).toContain('service account token has been invalidated');
    });
  }, 60_000);

  it.each<[string, () => Promise<string>, string]>([
    [
      'for another audience',
      () => cluster.token({ namespace: 'shop', name: 'default' }, { audience: 'vault' }),
      'expected exactly one audience',
    ],
    [
      'for the API server',
      () => cluster.token({ namespace: 'shop', name: 'default' }),
      'expected exactly one audience',
    ],
    [
      'with a signature that was changed',
      async () => {
        const token = await cluster.token({ namespace: 'shop', name: 'default' }, { audience });
        return `${token.slice(0, -8)}AAAAAAAA`;
      },
      'got one that does not verify',
    ],
  ])('refuses a token %s without asking the API server', async (_, make, message) => {
    const reviews = (): number =>
      cluster.auditLog().filter(({ requestURI }) => requestURI.includes('tokenreviews')).length;
    const token = await make();
    const before = reviews();
    const answer = await certify(token, 'default', replicas[1]);
    expect(answer.status).toBe(9);
    expect(answer.message).toContain(message);
    expect(reviews()).toBe(before);
  });

  it('publishes the bundle to namespaces as they come, and mends what is changed or deleted by hand', async () => {
    await cluster.createNamespace('later');
    for (const namespace of ['default', 'kube-system', 'shop', 'later']) {
      await eventually(async () => expect(await bundleIn(cluster, namespace)).toBe(anchors));
    }
    const data = { 'ca-bundle.crt': 'changed' };
    const changed = JSON.stringify({ data });
    await cluster.kubectl(['patch', 'configmap', 'kedge-trust-bundle', '-n', 'later', '-p', changed]);
    await eventually(async () => expect(await bundleIn(cluster, 'later')).toBe(anchors));
    await cluster.kubectl(['delete', 'configmap', 'kedge-trust-bundle', '-n', 'shop']);
    await eventually(async () => expect(await bundleIn(cluster, 'shop')).toBe(anchors));
    await cluster.kubectl(['delete', 'namespace', 'later']);
    expect(await replicas[0]?.ready()).not.toContain('trust-bundle-copies');
  });

  it('goes on with its issuer when the content of the Secret is gone, and a replica that starts makes another under the same anchor', async () => {
    const before = await certificateIn(cluster, 'kedge-issuer');
    const anchor = await certificateIn(cluster, 'kedge-trust-anchor');
    await cluster.kubectl(['patch', 'secret', 'kedge-issuer', '-n', 'kedge', '-p', '{"data":null}']);
    const [first] = replicas;
    await eventually(async () =>
      expect(await first?.ready()).toContain('degraded: issuer: expected tls.crt'),
    );
    const token = await cluster.token({ namespace: 'shop', name: 'default' }, { audience });
    expect((await certify(token, 'default')).status).toBe(0);
    await using third = new IdentityProcess(kubeconfig, settings);
    await third.line('own certificate renewed');
    expect((await certificateIn(cluster, 'kedge-trust-anchor')).fingerprint).toBe(anchor.fingerprint);
    const after = await certificateIn(cluster, 'kedge-issuer');
    expect(after.fingerprint).not.toBe(before.fingerprint);
    await eventually(async () => expect(await first?.ready()).not.toContain('degraded: issuer'));
    expect((await certify(token, 'default')).status).toBe(0);
    await eventually(async () => {
      const events = await cluster.kubectl([
        'get',
        'events',
        '-n',
        'kedge',
        '-o',
        'jsonpath={.items[*].reason}',
      ]);
      expect(events.split(' ')).toEqual(expect.arrayContaining(['IssuerUpdateSkipped', 'IssuerUpdated']));
    });
  });

  it('renews an issuer that is past two thirds of its life, by one of the replicas that see it', async () => {
    const { data = {} } = await cluster.expect<Data>(secretPath('kedge-trust-anchor'));
    const text = (name: string): string => Buffer.from(data[name] ?? '', 'base64').toString();
    const old = await makeIssuer({
      anchor: parseCaKeyPair(text('tls.crt'), text('tls.key')),
      mesh: new MeshDomain('kedge', 'cluster.local'),
      lifetimeMs: 60_000,
      now: new Date(),
    });
    const stringData = { 'tls.crt': old.certificate.pem, 'tls.key': encodePrivateKey(old.key) };
    await cluster.kubectl([
      'patch',
      'secret',
      'kedge-issuer',
      '-n',
      'kedge',
      '-p',
      JSON.stringify({ stringData }),
    ]);
    await using third = new IdentityProcess(kubeconfig, settings);
    await using fourth = new IdentityProcess(kubeconfig, settings);
    await Promise.all([third.line('own certificate renewed'), fourth.line('own certificate renewed')]);
    const all = [...replicas, third, fourth];
    await eventually(() => expect(all.flatMap((one) => one.withMessage('issuer renewed'))).toHaveLength(1));
    const [renewed] = all.flatMap((one) => one.withMessage('issuer renewed'));
    expect((await certificateIn(cluster, 'kedge-issuer')).fingerprint).toBe(renewed?.['fingerprint']);
    for (const one of all) {
      await eventually(() =>
        expect(one.withMessage('issuer loaded').at(-1)?.['fingerprint']).toBe(renewed?.['fingerprint']),
      );
    }
  }, 60_000);

  it('says which right is missing, and is ready when it was given', async () => {
    const list = (items: object[]): string => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const less = access(({ resource }) => resource.plural === 'tokenreviews');
    await cluster.kubectl(['apply', '-f', '-'], { input: list(less) });
    await using replica = new IdentityProcess(kubeconfig, settings);
    const { reason } = await replica.line('waiting for access to the API server');
    expect(reason).toBe(
      'expected the right to create tokenreviews.authentication.k8s.io, found it is not given',
    );
    expect(await replica.ready()).toContain('503 not ready');
    await cluster.kubectl(['apply', '-f', '-'], { input: list(access()) });
    await eventually(async () => expect(await replica.ready()).toContain('200 ready'));
  });

  it('goes on with what it has when rights are taken away while it runs, and does all again when they are given back', async () => {
    const apply = (objects: object[]) =>
      cluster.kubectl(['apply', '-f', '-'], {
        input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
      });
    const token = await cluster.token({ namespace: 'shop', name: 'default' }, { audience });
    const kinds = ['tokenreviews', 'secrets', 'namespaces'];
    await apply(access(({ resource }) => kinds.includes(resource.plural)));
    // A watch is judged when it begins.
    await cluster.kill();
    await cluster.restart();
    await eventually(async () => {
      const { status, message } = await certify(token, 'default');
      expect([status, message]).toEqual([14, expect.stringContaining('tokenreviews')]);
      const ready = (await replicas[0]?.ready()) ?? '';
      for (const text of ['200 ready', 'degraded: issuer-secret', 'degraded: namespaces']) {
        expect(ready).toContain(text);
      }
    });
    await apply(access());
    await cluster.createNamespace('after');
    await eventually(async () => {
      expect((await certify(token, 'default')).status).toBe(0);
      expect(await bundleIn(cluster, 'after')).toBe(anchors);
      expect(await replicas[0]?.ready()).toBe('200 ready\n');
    });
  }, 120_000);

  it('says when to come back while the API server is away, and goes on when it is there again', async () => {
    const token = await cluster.token({ namespace: 'shop', name: 'default' }, { audience });
    await cluster.kill();
    const { status, message, trailers } = await certify(token, 'default');
    expect(status).toBe(14);
    expect(message).toContain('token review: expected the word of the API server');
    expect(trailers['grpc-status-details-bin']).toBeDefined();
    expect(await replicas[0]?.ready()).toContain('200 ready');
    await cluster.restart();
    await eventually(async () => expect((await certify(token, 'default')).status).toBe(0));
  }, 60_000);
});
