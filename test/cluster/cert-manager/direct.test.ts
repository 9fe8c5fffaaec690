import { TrustBundle } from '../../../src/pki/trust-bundle.ts';
import { verifyChain } from '../../../src/pki/verify-chain.ts';
import { eventually } from '../../support/eventually.ts';
import { refusalOf } from '../../support/refusal.ts';
import { TestCa } from '../../support/test-ca.ts';
import { testDoctorWithoutPolicy } from './doctor-tests.ts';
import { askFor, Issuing } from './issuing.ts';
import { caCertificate, caIssuer, certManagerPath, issuer } from './objects.ts';
import { onCertManager } from './on-cert-manager.ts';
import { Requests } from './requests.ts';

const { signal } = new AbortController();

onCertManager('the issuer that asks a real cert-manager for each certificate', (rig) => {
  testDoctorWithoutPolicy(rig);
  const root = TestCa.create();
  const upstream = root.intermediate();

  it.each<[string, { readonly uri: boolean }]>([
    ['both names', { uri: true }],
    ['the DNS name alone, as Linkerd’s proxy asks', { uri: false }],
  ])(
    'gives a certificate of an Issuer of kind CA for %s, and leaves no request behind',
    async (_, { uri }) => {
      const { cluster } = rig;
      const namespace = await cluster.createNamespace(`names-${String(uri)}`);
      await caIssuer(cluster, { namespace, name: 'kedge', ca: upstream });
      await using issuing = await Issuing.begin(cluster, { mode: 'direct', namespace, anchors: root.bundle });
      const ask = askFor({ uri });
      const { leaf, intermediates } = await issuing.issuer.issue(ask, signal);
      expect(leaf.publicKey.equals(ask.csr.publicKey)).toBe(true);
      expect(leaf.sans).toMatchObject({ dns: [ask.dnsName], uri: uri ? [ask.uri] : [] });
      expect(intermediates.map(({ fingerprint }) => fingerprint)).toEqual([upstream.certificate.fingerprint]);
      verifyChain({ leaf, intermediates, bundle: root.bundle, at: new Date(), usage: 'both' });
      expect(ask.notAfter.getTime() - leaf.notAfter.getTime()).toBeLessThan(120_000);
      expect(issuing.issuer.state.value).toMatchObject({
        state: 'ready',
        notAfter: upstream.certificate.notAfter,
        fingerprint: upstream.certificate.fingerprint,
      });
      await new Requests(cluster, namespace).gone();
      expect(issuing.log.records.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
    },
  );

  it('takes a ClusterIssuer whose CA another one of cert-manager made, down from a self-signed root', async () => {
    const { cluster } = rig;
    const namespace = await cluster.createNamespace('chain');
    await issuer(cluster, { name: 'selfsigned', spec: { selfSigned: {} } });
    const made = { namespace: 'cert-manager', spec: { renewBefore: '1h' } };
    await caCertificate(cluster, {
      ...made,
      name: 'chain-root',
      issuerRef: { name: 'selfsigned', kind: 'ClusterIssuer' },
    });
    await issuer(cluster, { name: 'chain-root', spec: { ca: { secretName: 'chain-root' } } });
    await caCertificate(cluster, {
      ...made,
      name: 'chain-sub',
      issuerRef: { name: 'chain-root', kind: 'ClusterIssuer' },
      spec: { ...made.spec, commonName: 'sub' },
    });
    await issuer(cluster, { name: 'chain-sub', spec: { ca: { secretName: 'chain-sub' } } });
    const { data } = await cluster.expect<{ data: Record<string, string> }>(
      '/api/v1/namespaces/cert-manager/secrets/chain-root',
    );
    const anchors = TrustBundle.parsePem(Buffer.from(data['tls.crt'] ?? '', 'base64').toString());
    const settings = {
      KEDGE_CERT_MANAGER_ISSUER_NAME: 'chain-sub',
      KEDGE_CERT_MANAGER_ISSUER_KIND: 'ClusterIssuer',
    };
    await using issuing = await Issuing.begin(cluster, { mode: 'direct', namespace, anchors, settings });
    const { leaf, intermediates } = await issuing.issuer.issue(askFor(), signal);
    expect(intermediates.map(({ subject }) => subject)).toEqual(['CN=sub']);
    verifyChain({ leaf, intermediates, bundle: anchors, at: new Date(), usage: 'both' });
  });

  it('follows the Issuer to another CA of the same anchor, and to one of another once that is published', async () => {
    const { cluster } = rig;
    const namespace = await cluster.createNamespace('swapped');
    await caIssuer(cluster, { namespace, name: 'kedge', ca: upstream });
    await using issuing = await Issuing.begin(cluster, { mode: 'direct', namespace, anchors: root.bundle });
    const issuerNow = async (): Promise<string> => {
      const { intermediates } = await issuing.issuer.issue(askFor(), signal);
      return intermediates[0]?.fingerprint ?? '';
    };
    expect(await issuerNow()).toBe(upstream.certificate.fingerprint);
    const second = root.intermediate();
    await caIssuer(cluster, { namespace, name: 'kedge', ca: second });
    await eventually(async () => expect(await issuerNow()).toBe(second.certificate.fingerprint));
    const other = TestCa.create();
    const stranger = other.intermediate();
    await caIssuer(cluster, { namespace, name: 'kedge', ca: stranger });
    await eventually(async () =>
      expect(await refusalOf(issuerNow())).toContain(
        'issued_certificate_refused: the certificate from the issuer breaks the rule "chain"',
      ),
    );
    issuing.anchors.set(root.bundle.union(other.bundle));
    await eventually(async () => expect(await issuerNow()).toBe(stranger.certificate.fingerprint));
    await new Requests(cluster, namespace).gone();
  });

  it('ends with the CA where that has little time left, which cert-manager does not look at', async () => {
    const { cluster } = rig;
    const namespace = await cluster.createNamespace('ending');
    const ending = root.intermediate({ notAfter: new Date(Date.now() + 1_800_000) });
    await caIssuer(cluster, { namespace, name: 'kedge', ca: ending });
    await using issuing = await Issuing.begin(cluster, { mode: 'direct', namespace, anchors: root.bundle });
    const { leaf } = await issuing.issuer.issue(askFor({ lifetimeMs: 7_200_000 }), signal);
    expect(leaf.notAfter <= ending.certificate.notAfter).toBe(true);
    expect(leaf.notAfter.getTime()).toBeGreaterThan(Date.now() + 1_500_000);
    await new Requests(cluster, namespace).gone();
  });

  it('leaves alone the requests of Certificates in the same namespace', async () => {
    const { cluster } = rig;
    const namespace = await cluster.createNamespace('beside');
    await caIssuer(cluster, { namespace, name: 'kedge', ca: upstream });
    await caCertificate(cluster, { namespace, name: 'web', issuerRef: { name: 'kedge', kind: 'Issuer' } });
    await using issuing = await Issuing.begin(cluster, { mode: 'direct', namespace, anchors: root.bundle });
    for (let n = 0; n < 10; n++) await issuing.issuer.issue(askFor({ name: `web-${n}` }), signal);
    await new Requests(cluster, namespace).gone();
    const path = certManagerPath('certificaterequests', namespace);
    expect((await cluster.expect<{ items: unknown[] }>(path)).items).toHaveLength(1);
  });
});
