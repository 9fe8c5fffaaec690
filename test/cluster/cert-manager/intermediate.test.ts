import type { Certificate } from '../../../src/pki/certificate.ts';
import { TrustBundle } from '../../../src/pki/trust-bundle.ts';
import { verifyChain } from '../../../src/pki/verify-chain.ts';
import { secretData } from '../../../src/issuers/own-ca/ca-objects.ts';
import { eventually } from '../../support/eventually.ts';
import { TestCa } from '../../support/test-ca.ts';
import type { TestCluster } from '../test-cluster.ts';
import { testDoctorOfCertificate } from './doctor-tests.ts';
import { askFor, Issuing } from './issuing.ts';
import { caCertificate, caIssuer, certManagerPath, ready, renew } from './objects.ts';
import { onCertManager } from './on-cert-manager.ts';

const { signal } = new AbortController();
const upstream = { name: 'upstream', kind: 'Issuer' } as const;
const secretPath = (namespace: string): string => `/api/v1/namespaces/${namespace}/secrets/kedge-issuer`;

/** The fingerprint of the CA that signs leaves now; a leaf of it is verified as peers do. */
async function signs({ issuer, anchors }: Issuing): Promise<string> {
  const { leaf, intermediates } = await issuer.issue(askFor(), signal);
  const bundle = anchors.value ?? TrustBundle.of([]);
  verifyChain({ leaf, intermediates, bundle, at: new Date(), usage: 'both' });
  return intermediates[0]?.fingerprint ?? '';
}

/** Waits until another CA than this signs; one of them always does. */
async function another(issuing: Issuing, before: string): Promise<void> {
  const failures: unknown[] = [];
  await eventually(async () => {
    const now = await signs(issuing).catch((error: unknown) => failures.push(error));
    expect(now).not.toBe(before);
  });
  expect(failures).toEqual([]);
}

/** What is told to be wrong while it signs. */
function degraded({ issuer }: Issuing): string | undefined {
  const state = issuer.state.value;
  return state.state === 'ready' ? state.degraded : state.reason;
}

onCertManager('the issuer whose CA a real cert-manager keeps in a Secret', (rig) => {
  testDoctorOfCertificate(rig);
  const root = TestCa.create();

  /** A namespace with an Issuer and a CA Certificate, and the issuer that follows its Secret. */
  async function begin(
    namespace: string,
    { ca = root, spec = {}, anchors = ca.bundle }: { ca?: TestCa; spec?: object; anchors?: TrustBundle } = {},
  ): Promise<Issuing> {
    const { cluster } = rig;
    await cluster.createNamespace(namespace);
    await caIssuer(cluster, { namespace, name: 'upstream', ca });
    await caCertificate(cluster, { namespace, name: 'kedge-issuer', issuerRef: upstream, spec });
    return Issuing.begin(cluster, { mode: 'intermediate', namespace, anchors });
  }

  it.each<[string, object]>([
    ['EC P-256 in SEC 1', { algorithm: 'ECDSA', size: 256, encoding: 'PKCS1' }],
    ['EC P-384 in PKCS #8', { algorithm: 'ECDSA', size: 384, encoding: 'PKCS8' }],
    ['RSA in PKCS #1', { algorithm: 'RSA', size: 2048, encoding: 'PKCS1' }],
    ['Ed25519', { algorithm: 'Ed25519', encoding: 'PKCS8' }],
  ])('signs with a key of the kind %s', async (name, privateKey) => {
    await using issuing = await begin(name.toLowerCase().replace(/[^a-z0-9]+/g, '-'), {
      spec: { privateKey },
    });
    expect(await signs(issuing)).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each<[string, (cluster: TestCluster, namespace: string) => Promise<unknown>]>([
    ['is told to renew', (cluster, namespace) => renew(cluster, namespace, 'kedge-issuer')],
    [
      'makes the Secret anew that was deleted',
      (cluster, namespace) => cluster.expect(secretPath(namespace), { method: 'DELETE' }),
    ],
    [
      'finds the Secret emptied',
      (cluster, namespace) =>
        cluster.expect(secretPath(namespace), {
          method: 'PATCH',
          contentType: 'application/merge-patch+json',
          body: { data: { 'tls.crt': '', 'tls.key': '', 'ca.crt': '' } },
        }),
    ],
    [
      'has another issuer under the same anchor',
      async (cluster, namespace) => {
        await caIssuer(cluster, { namespace, name: 'second', ca: root.intermediate() });
        await caCertificate(cluster, {
          ...{ namespace, name: 'kedge-issuer' },
          issuerRef: { name: 'second', kind: 'Issuer' },
        });
      },
    ],
  ])('signs with the new CA, and never fails between, when cert-manager %s', async (what, change) => {
    const namespace = what.replace(/[^a-z]+/g, '-');
    await using issuing = await begin(namespace);
    const before = await signs(issuing);
    await change(rig.cluster, namespace);
    await another(issuing, before);
    await eventually(() => expect(degraded(issuing)).toBeUndefined());
  });

  it('is renewed by cert-manager itself when its time has come', async () => {
    // The least that cert-manager allows: an hour of life, renewed five minutes before its end at the latest.
    await using issuing = await begin('renewed', { spec: { duration: '1h', renewBefore: '59m57s' } });
    await another(issuing, await signs(issuing));
  });

  it('goes on with the old CA, and says so, when the new one leads to no published anchor, and takes it once it does', async () => {
    const { cluster } = rig;
    const namespace = 'uncommon';
    await using issuing = await begin(namespace);
    const before = await signs(issuing);
    const other = TestCa.create();
    await caIssuer(cluster, { namespace, name: 'upstream', ca: other });
    await renew(cluster, namespace, 'kedge-issuer');
    await eventually(() => expect(degraded(issuing)).toContain('among the intermediates or the anchors'));
    expect(await signs(issuing)).toBe(before);
    // The Secret says in `ca.crt` what its anchor would be; that is nothing to rely on.
    issuing.anchors.set(root.bundle.union(other.bundle));
    await another(issuing, before);
  });

  it('begins to sign when the Secret comes after it, in two steps', async () => {
    const { cluster } = rig;
    const namespace = await cluster.createNamespace('two-steps');
    await using issuing = await Issuing.beginUnready(cluster, {
      mode: 'intermediate',
      namespace,
      anchors: root.bundle,
    });
    await eventually(() =>
      expect(issuing.issuer.state.value).toMatchObject({
        state: 'unavailable',
        reason: `expected the Secret ${namespace}/kedge-issuer, found none`,
      }),
    );
    await caIssuer(cluster, { namespace, name: 'upstream', ca: root });
    await caCertificate(cluster, { namespace, name: 'other', issuerRef: upstream });
    const made = await cluster.expect<{ data: Record<string, string> }>(
      `/api/v1/namespaces/${namespace}/secrets/other`,
    );
    const { 'tls.key': key = '', 'tls.crt': certificate = '' } = made.data;
    const body = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'kedge-issuer' },
      data: { 'tls.key': key },
    };
    await cluster.expect(`/api/v1/namespaces/${namespace}/secrets`, { method: 'POST', body });
    await eventually(() => expect(degraded(issuing)).toContain('got no tls.crt'));
    const patch = { data: { 'tls.crt': certificate } };
    const contentType = 'application/merge-patch+json';
    await cluster.expect(secretPath(namespace), { method: 'PATCH', contentType, body: patch });
    expect(await eventually(() => signs(issuing))).toMatch(/^[0-9a-f]{64}$/);
  });

  it('finds the intermediate in ca.crt that tls.crt lacks, and never takes ca.crt for an anchor', async () => {
    const { cluster } = rig;
    const namespace = 'short-chain';
    const between = root.intermediate();
    await using issuing = await begin(namespace, { ca: between, anchors: root.bundle });
    const before = await signs(issuing);
    const secret = await cluster.expect<{ data: Record<string, string> }>(secretPath(namespace));
    const given = Buffer.from(secret.data['tls.crt'] ?? '', 'base64').toString();
    const [first = ''] = given.split(/(?<=-----END CERTIFICATE-----\n)/);
    // As Vault's issuer gives it where the mount has no root: cert-manager takes the highest for the CA.
    await cluster.expect(certManagerPath('certificates', namespace, 'kedge-issuer'), { method: 'DELETE' });
    const put = async (ca: Certificate): Promise<void> => {
      const data = secretData({ 'tls.crt': first, 'ca.crt': ca.pem });
      const contentType = 'application/merge-patch+json';
      await cluster.expect(secretPath(namespace), { method: 'PATCH', contentType, body: { data } });
    };
    await put(TestCa.create().certificate);
    await eventually(() => expect(degraded(issuing)).toBeDefined());
    await put(between.certificate);
    await eventually(() => expect(degraded(issuing)).toBeUndefined());
    const { leaf, intermediates } = await issuing.issuer.issue(askFor(), signal);
    expect(intermediates.map(({ fingerprint }) => fingerprint)).toEqual([
      before,
      between.certificate.fingerprint,
    ]);
    verifyChain({ leaf, intermediates, bundle: root.bundle, at: new Date(), usage: 'both' });
  });

  it('goes on signing while the controller is gone and the webhook is away, and tells nothing of a key', async () => {
    const { cluster, certManager } = rig;
    await using issuing = await begin('outage');
    const before = await signs(issuing);
    await certManager.killController();
    await certManager.killWebhook();
    expect(await signs(issuing)).toBe(before);
    await certManager.startWebhook();
    await certManager.startController();
    await ready(cluster, certManagerPath('certificates', 'outage', 'kedge-issuer'));
    const secret = await cluster.expect<{ data: Record<string, string> }>(secretPath('outage'));
    const key = Buffer.from(secret.data['tls.key'] ?? '', 'base64').toString();
    const told = issuing.log.text + (await issuing.metrics.text());
    for (const line of key.split('\n').slice(1, -2)) expect(told).not.toContain(line);
    expect(key).toContain('PRIVATE KEY');
  });
});
