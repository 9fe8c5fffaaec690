import { putSecret } from '../../../cluster/cert-manager/objects.ts';
import type { TestCluster } from '../../../cluster/test-cluster.ts';
import type { SecretWatch } from '../../../support/secret-watch.ts';
import type { TestCa } from '../../../support/test-ca.ts';
import type { Column, IssuerUnderTest, Wish } from '../column.ts';
import { OpenIssuer } from '../open-issuer.ts';
import { CaFamily } from './ca-family.ts';
import { clusterNeeds, newNamespace } from './cluster-needs.ts';
import { withoutCa, withoutLogin } from './local.ts';

const name = 'kedge-issuer';

/** `issuer=local` with the CA in a Secret of a real API server; what can be away is the API server. */
export const localSecret =
  (cluster: TestCluster) =>
  (watch: SecretWatch): Column => ({
    name: 'local, Secret',
    seenOn: `real Kubernetes ${cluster.version}`,
    cannot: { ...withoutCa, ...withoutLogin },
    open: (wish) => open(cluster, wish, watch),
  });

async function open(cluster: TestCluster, wish: Wish, watch: SecretWatch): Promise<IssuerUnderTest> {
  const family = new CaFamily(wish, watch);
  const namespace = await newNamespace(cluster);
  const putTexts = (certificates: string, privateKey: string): Promise<void> =>
    putSecret(cluster, { namespace, name }, { 'tls.crt': certificates, 'tls.key': privateKey });
  const put = (ca: TestCa): Promise<void> => {
    const { certificates, privateKey } = family.material(ca);
    return putTexts(certificates, privateKey);
  };
  if (wish.empty !== true) await put(family.signing());
  const env = { KEDGE_ISSUER: 'local', KEDGE_ISSUER_LOCAL_SECRET: name };
  const needs = await clusterNeeds(cluster, namespace);
  const opened = await OpenIssuer.configured(env, [family.anchor.certificate], watch, needs);
  return {
    opened,
    faults: {
      replace: async () => {
        const next = family.signing();
        await put(next);
        return next.certificate;
      },
      replaceByStranger: () => put(family.stranger()),
      spoil: () => putTexts('no certificate', 'no key'),
      arrive: () => put(family.signing()),
      takeAway: async () => {
        await cluster.kill();
        return () => cluster.restart();
      },
    },
    close: () => Promise.resolve(),
  };
}
