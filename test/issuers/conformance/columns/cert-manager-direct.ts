import type { CertManagerRig } from '../../../cluster/cert-manager/on-cert-manager.ts';
import type { CertManagerObject } from '../../../cluster/cert-manager/objects.ts';
import { caIssuer, certManagerPath } from '../../../cluster/cert-manager/objects.ts';
import type { SecretWatch } from '../../../support/secret-watch.ts';
import type { TestCa } from '../../../support/test-ca.ts';
import type { Column, Faults, IssuerUnderTest, Wish } from '../column.ts';
import { OpenIssuer } from '../open-issuer.ts';
import { CaFamily } from './ca-family.ts';
import { clusterNeeds, newNamespace } from './cluster-needs.ts';

/** `issuer=cert-manager`, a CertificateRequest for each certificate, to an Issuer of kind CA. */
export const certManagerDirect =
  (rig: CertManagerRig, seenOn: string) =>
  (watch: SecretWatch): Column => ({
    name: 'cert-manager direct',
    seenOn,
    cannot: {
      'takes a shorter life by the rules of the CA, and says so': 'an issuer of kind CA has no such rule',
      'signs on while the CA is away': 'each certificate is signed by the CA itself',
      'keeps the last good CA when the next is no good, and says so': 'the CA has its key for itself',
      'logs in again when its log-in no longer counts': 'the API server is asked with the token of the pod',
      'is not ready before there is a CA, says why, and becomes so by itself':
        'a CA is known only by what it has signed',
    },
    open: (wish) => open(rig, wish, watch),
  });

async function open(rig: CertManagerRig, wish: Wish, watch: SecretWatch): Promise<IssuerUnderTest> {
  const { cluster } = rig;
  const family = new CaFamily(wish, watch);
  const namespace = await newNamespace(cluster);
  const put = (ca: TestCa): Promise<void> => caIssuer(cluster, { namespace, name: 'kedge', ca });
  await put(family.signing());
  const env = {
    ...{ KEDGE_ISSUER: 'cert-manager', KEDGE_ISSUER_MODE: 'direct' },
    KEDGE_ISSUER_TIMEOUT: `${wish.timeoutMs ?? 30_000}ms`,
  };
  const needs = await clusterNeeds(cluster, namespace);
  const opened = await OpenIssuer.configured(env, [family.anchor.certificate], watch, needs);
  return { opened, faults: faultsOf(rig, namespace, family, put), close: () => Promise.resolve() };
}

function faultsOf(
  { cluster, certManager }: CertManagerRig,
  namespace: string,
  family: CaFamily,
  put: (ca: TestCa) => Promise<void>,
): Faults {
  return {
    silence: async () => {
      await certManager.stopController();
      return () => certManager.startController();
    },
    takeAway: async () => {
      await cluster.kill();
      return () => cluster.restart();
    },
    openCalls: async () => {
      const path = certManagerPath('certificaterequests', namespace);
      return (await cluster.expect<{ items: CertManagerObject[] }>(path)).items.length;
    },
    replace: async () => {
      const next = family.signing();
      await put(next);
      return next.certificate;
    },
    replaceByStranger: () => put(family.stranger()),
    misbehave: async () => {
      await put(family.anchor.intermediate({ permittedUri: ['cluster.local'] }));
      return 'constraints';
    },
  };
}
