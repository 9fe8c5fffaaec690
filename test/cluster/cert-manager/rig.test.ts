import { Certificate } from '../../../src/pki/certificate.ts';
import { eventually } from '../../support/eventually.ts';
import { TestCa } from '../../support/test-ca.ts';
import { caCertificate, caIssuer, renew } from './objects.ts';
import { onCertManager } from './on-cert-manager.ts';

onCertManager('the cert-manager of tests', (rig) => {
  it('issues a CA from a ClusterIssuer, and another when it is told to renew', async () => {
    const { cluster, certManager } = rig;
    const namespace = await cluster.createNamespace('rig');
    const root = TestCa.create();
    await caIssuer(cluster, { name: 'upstream', ca: root });
    await caCertificate(cluster, {
      namespace,
      name: 'mesh',
      issuerRef: { name: 'upstream', kind: 'ClusterIssuer' },
    });
    const issued = async (): Promise<Certificate> => {
      const secret = await cluster.expect<{ data: Record<string, string> }>(
        `/api/v1/namespaces/${namespace}/secrets/mesh`,
      );
      const [certificate] = Certificate.parsePem(
        Buffer.from(secret.data['tls.crt'] ?? '', 'base64').toString(),
      );
      if (certificate === undefined) throw new Error('there is no certificate');
      return certificate;
    };
    const first = await issued();
    expect(first.isCa).toBe(true);
    expect(first.isSignedBy(root.certificate.publicKey)).toBe(true);
    await certManager.killController();
    await renew(cluster, namespace, 'mesh');
    await certManager.startController();
    await eventually(async () => expect((await issued()).fingerprint).not.toBe(first.fingerprint));
  }, 60_000);
});
