import { Certificate } from '../../../src/pki/certificate.ts';
import { TrustBundle } from '../../../src/pki/trust-bundle.ts';
import { verifyChain } from '../../../src/pki/verify-chain.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { eventually } from '../../support/eventually.ts';
import { fields } from '../../support/protobuf-bytes.ts';
import { TestCa } from '../../support/test-ca.ts';
import { issuerRights } from '../chart/issuer-rights.ts';
import { access, account } from '../identity/control-namespace.ts';
import { IdentityProcess } from '../identity/identity-process.ts';
import { caCertificate, caIssuer } from './objects.ts';
import { onCertManager } from './on-cert-manager.ts';
import { Requests } from './requests.ts';

const settings = {
  KEDGE_ISSUER: 'cert-manager',
  KEDGE_TOKEN_VERIFIER: 'token-review',
  // As trust-manager would write it: its name and key are its own.
  KEDGE_TRUST_ANCHORS_CONFIG_MAP: 'trust/mesh-anchors',
  KEDGE_TRUST_ANCHORS_KEY: 'trust.pem',
  KEDGE_TRUST_BUNDLE_CONFIG_MAP: 'kedge-trust-bundle',
};
const modes = ['direct', 'intermediate'] as const;

onCertManager('the identity service with a real cert-manager', (rig) => {
  const root = TestCa.create();
  const name = 'default.shop.serviceaccount.identity.kedge.cluster.local';
  let kubeconfig = '';

  const putAnchors = async (pem: string): Promise<void> => {
    const metadata = { namespace: 'trust', name: 'mesh-anchors' };
    const input = JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: { 'trust.pem': pem },
    });
    await rig.cluster.kubectl(['apply', '-f', '-'], { input });
  };

  beforeAll(async () => {
    const { cluster } = rig;
    for (const namespace of ['kedge', 'shop', 'trust']) await cluster.createNamespace(namespace);
    const items = [
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: account },
      // Each mode has rights of its own; both are given here.
      ...modes.flatMap((mode) =>
        access(undefined, { ...settings, KEDGE_ISSUER_MODE: mode }, `kedge-identity-${mode}`),
      ),
    ];
    await cluster.kubectl(['apply', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    });
    await caIssuer(cluster, { namespace: 'kedge', name: 'kedge', ca: root });
    await caCertificate(cluster, {
      ...{ namespace: 'kedge', name: 'kedge-issuer' },
      issuerRef: { name: 'kedge', kind: 'Issuer' },
    });
    kubeconfig = await cluster.kubeconfigAs(account);
    await putAnchors(root.certificate.pem);
  }, 60_000);

  it.each(modes)(
    'certifies in mode %s, with the rights that it asks for and no others',
    async (mode) => {
      const { cluster } = rig;
      await using identity = new IdentityProcess(kubeconfig, { ...settings, KEDGE_ISSUER_MODE: mode });
      await eventually(async () => expect(await identity.ready()).toContain('200 ready'));
      const token = await cluster.token(
        { namespace: 'shop', name: 'default' },
        { audience: 'identity.l5d.io' },
      );
      const csr = buildCsr({ dnsNames: [name] });
      const answer = await identity.certify({ identity: name, token, csr }, root.certificate.pem);
      expect([answer.status, answer.message]).toEqual([0, 'OK']);
      const [leaf, ...intermediates] = fields(answer.messages[0] ?? Buffer.alloc(0))
        .filter(({ value }) => Buffer.isBuffer(value))
        .slice(0, 2)
        .map(({ value }) => Certificate.parse(value as Buffer));
      if (leaf === undefined) throw new Error('expected a certificate');
      verifyChain({ leaf, intermediates, bundle: root.bundle, at: new Date(), usage: 'both' });
      // cert-manager signs the names that were asked for; identity itself gives both.
      expect(leaf.sans.uri).toHaveLength(mode === 'direct' ? 0 : 1);
      await new Requests(cluster, 'kedge').gone();
      expect(identity.lines.filter(({ level }) => level === 'error')).toEqual([]);
    },
    60_000,
  );

  it('publishes the anchors of trust-manager under its own name everywhere, and follows them', async () => {
    const { cluster } = rig;
    await using identity = new IdentityProcess(kubeconfig, settings);
    await identity.line('own certificate renewed');
    const published = async (namespace: string): Promise<string> => {
      const path = `/api/v1/namespaces/${namespace}/configmaps/kedge-trust-bundle`;
      return (await cluster.expect<{ data: Record<string, string> }>(path)).data['ca-bundle.crt'] ?? '';
    };
    const both = TrustBundle.of([root.certificate, TestCa.create().certificate]);
    for (const bundle of [root.bundle, both]) {
      await putAnchors(bundle.pem);
      for (const namespace of ['kedge', 'shop', 'trust', 'default']) {
        await eventually(async () => expect(await published(namespace)).toBe(bundle.pem));
      }
    }
  }, 60_000);

  issuerRights(rig);
});
