import { TrustBundle } from '../../../src/pki/trust-bundle.ts';
import { verifyChain } from '../../../src/pki/verify-chain.ts';
import { eventually } from '../../support/eventually.ts';
import { TestCa } from '../../support/test-ca.ts';
import type { TestCluster } from '../test-cluster.ts';
import { askFor, Issuing } from './issuing.ts';
import { caCertificate, caIssuer, certManagerPath, issuer } from './objects.ts';
import type { CertManagerObject } from './objects.ts';
import { onCertManager } from './on-cert-manager.ts';

const { signal } = new AbortController();

async function requestsIn(cluster: TestCluster, namespace: string): Promise<readonly CertManagerObject[]> {
  const path = certManagerPath('certificaterequests', namespace);
  return (await cluster.expect<{ items: CertManagerObject[] }>(path)).items;
}

onCertManager('the issuer that asks a real cert-manager for each certificate', (rig) => {
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
      await eventually(async () => expect(await requestsIn(cluster, namespace)).toEqual([]));
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
});
