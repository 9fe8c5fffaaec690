import type { CertManagerRig } from '../../../cluster/cert-manager/on-cert-manager.ts';
import { caCertificate, caIssuer, putSecret, renew } from '../../../cluster/cert-manager/objects.ts';
import { parsePrivateKey } from '../../../../src/pki/keys.ts';
import type { SecretWatch } from '../../../support/secret-watch.ts';
import type { TestCa } from '../../../support/test-ca.ts';
import { TestCa as Ca } from '../../../support/test-ca.ts';
import type { Column, Faults, IssuerUnderTest, Wish } from '../column.ts';
import { hourMs, OpenIssuer } from '../open-issuer.ts';
import { clusterNeeds, newNamespace } from './cluster-needs.ts';
import { withoutCa, withoutLogin } from './local.ts';

const name = 'kedge-issuer';
const upstream = 'upstream';

/** `issuer=cert-manager` with a CA `Certificate`, whose Secret is followed; what can be away is cert-manager. */
export const certManagerIntermediate =
  (rig: CertManagerRig, seenOn: string) =>
  (watch: SecretWatch): Column => ({
    name: 'cert-manager intermediate',
    seenOn,
    cannot: { ...withoutCa, ...withoutLogin },
    open: (wish) => open(rig, wish, watch),
  });

async function open(rig: CertManagerRig, wish: Wish, watch: SecretWatch): Promise<IssuerUnderTest> {
  const { cluster } = rig;
  const namespace = await newNamespace(cluster);
  const anchor = Ca.create();
  await caIssuer(cluster, { namespace, name: upstream, ca: above(anchor, wish) });
  const arrive = (): Promise<void> =>
    caCertificate(cluster, {
      namespace,
      name,
      issuerRef: { name: upstream, kind: 'Issuer' },
      spec: specOf(wish),
    });
  if (wish.empty !== true) await arrive();
  const env = { KEDGE_ISSUER: 'cert-manager', KEDGE_ISSUER_MODE: 'intermediate' };
  const needs = await clusterNeeds(cluster, namespace);
  const opened = await OpenIssuer.configured(env, [anchor.certificate], watch, needs);
  const keepSecret = async (): Promise<void> => {
    const secret = await cluster.expect<{ data: Record<string, string> }>(
      `/api/v1/namespaces/${namespace}/secrets/${name}`,
    );
    const pem = Buffer.from(secret.data['tls.key'] ?? '', 'base64').toString();
    if (pem.startsWith('-----BEGIN')) watch.privateKey(parsePrivateKey(pem));
  };
  return {
    opened,
    faults: faultsOf(rig, namespace, arrive),
    close: async () => {
      await keepSecret();
      await rig.certManager.startController();
    },
  };
}

/** What signs the CA of the mesh. */
function above(anchor: TestCa, { depth = 1, narrow }: Wish): TestCa {
  if (narrow === true)
    return anchor.intermediate({ permittedDns: ['serviceaccount.identity.kedge.cluster.local'] });
  return depth === 2 ? anchor.intermediate() : anchor;
}

function specOf({ caKey, caEndsInMs }: Wish): object {
  return {
    ...(caKey === 'P-384' && { privateKey: { algorithm: 'ECDSA', size: 384 } }),
    ...(caKey === 'RSA' && { privateKey: { algorithm: 'RSA', size: 2048 } }),
    ...(caEndsInMs !== undefined && { duration: `${caEndsInMs / hourMs}h`, renewBefore: '30m' }),
  };
}

function faultsOf(
  { cluster, certManager }: CertManagerRig,
  namespace: string,
  arrive: () => Promise<void>,
): Faults {
  return {
    takeAway: async () => {
      await certManager.stopController();
      return () => certManager.startController();
    },
    replace: async () => {
      await renew(cluster, namespace, name);
      return undefined;
    },
    replaceByStranger: async () => {
      await caIssuer(cluster, { namespace, name: upstream, ca: Ca.create() });
      await renew(cluster, namespace, name);
    },
    spoil: async () => {
      await certManager.stopController();
      await putSecret(cluster, { namespace, name }, { 'tls.crt': 'no certificate', 'tls.key': 'no key' });
    },
    arrive,
  };
}
