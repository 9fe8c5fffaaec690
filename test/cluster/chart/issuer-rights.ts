import { enableKubernetesLogin, setKubernetesRole } from '../../issuers/vault/support/kubernetes-login.ts';
import { MeshPki } from '../../issuers/vault/support/mesh-pki.ts';
import { openBao } from '../../issuers/vault/support/vault-programs.ts';
import { VaultServer } from '../../issuers/vault/support/vault-server.ts';
import type { Values } from '../../helm/rendered-chart.ts';
import { eventually } from '../../support/eventually.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { TestCa } from '../../support/test-ca.ts';
import { caIssuer } from '../cert-manager/objects.ts';
import type { CertManagerRig } from '../cert-manager/on-cert-manager.ts';
import { missingHelm } from '../helm.ts';
import { mayDo } from './access-review.ts';
import { accountsOf, callsOf, covers, rightsOf } from './access.ts';
import type { Access, Call } from './access.ts';
import { Release } from './release.ts';

const account = 'kedge-identity';
const root = TestCa.create();

/**
 * Used only when a workload asks for a certificate, which is the same with every issuer, and tried with one; and where the
 * answer to the creation of a request was lost.
 */
const seldom = [
  'create tokenreviews.authentication.k8s.io',
  'create events.events.k8s.io',
  'patch events.events.k8s.io',
  'get certificaterequests.cert-manager.io',
];

interface Variant {
  readonly title: string;
  readonly namespace: string;
  readonly values: Values;
  /** Why it cannot be tried here. */
  readonly missing?: string | undefined;
}

const trust = { anchors: root.certificate.pem };
const variants: readonly Variant[] = [
  {
    title: 'an issuer of cert-manager that signs each certificate',
    namespace: 'asked',
    values: { issuer: 'cert-manager', certManager: { mode: 'direct' }, trust },
  },
  {
    title: 'a CA certificate of cert-manager',
    namespace: 'kept',
    values: { issuer: 'cert-manager', trust },
  },
  {
    title: 'Vault, and cert-manager while that is away',
    namespace: 'vaulted',
    values: { issuer: 'vault', fallbacks: ['cert-manager'] },
    missing: openBao.missing,
  },
];

/** The rights of the chart with other issuers than its own: each one is used, and no call is made that they do not cover. */
export function issuerRights(rig: CertManagerRig): void {
  describe.each(variants)('installed from the chart with $title', ({ namespace, values, missing }) => {
    if (missing !== undefined || missingHelm() !== undefined) {
      it.todo(`is tried where there is everything: ${missing ?? missingHelm() ?? ''}`);
      return;
    }
    const files = new TemporaryDirectory();
    const vault = values['issuer'] === 'vault' ? new VaultServer(openBao) : undefined;
    let release: Release | undefined;
    const rights = (): Access[] => rightsOf(release?.objects ?? [], account);
    const calls = (): Call[] => callsOf(rig.cluster.auditLog(), namespace, account);

    beforeAll(async () => {
      const { cluster } = rig;
      await vault?.start();
      release = await Release.install(cluster, {
        ...{ namespace, values },
        ...(vault && {
          identitySettings: {
            KEDGE_VAULT_ADDR: vault.address,
            KEDGE_VAULT_CA_FILE: vault.caFile,
            KEDGE_VAULT_JWT_FILE: files.file('token'),
          },
        }),
      });
      await caIssuer(cluster, { namespace, name: 'kedge', ca: root.intermediate() });
      if (vault) {
        await cluster.createNamespace('vault');
        await enableKubernetesLogin(vault, cluster);
        await setKubernetesRole(vault, namespace);
        const pki = new MeshPki(vault);
        await pki.create(root.intermediate());
        await pki.setRole({ allowed_domains: [`serviceaccount.identity.${namespace}.cluster.local`] });
        files.write({ token: await cluster.token({ namespace, name: account }, { audience: 'vault' }) });
      }
      await release.start('identity');
      // Where no copy of the trust bundle is yet.
      await cluster.createNamespace(`beside-${namespace}`);
    }, 120_000);

    afterAll(async () => {
      await release?.[Symbol.asyncDispose]();
      await vault?.end();
      files[Symbol.dispose]();
    });

    it('uses each right of identity', async () => {
      await eventually(() => {
        const made = calls();
        const unused = rights().filter((right) => !made.some((call) => covers(right, call)));
        expect(unused.filter(({ verb, resource }) => !seldom.includes(`${verb} ${resource}`))).toEqual([]);
      });
    });

    it('makes no call that is not covered, and none is refused', () => {
      expect(calls().filter((call) => !rights().some((right) => covers(right, call)))).toEqual([]);
      expect(calls().filter(({ code }) => code === 401 || code === 403)).toEqual([]);
    });

    it('lets nobody but identity near the CA, and nobody near what it logs in with', async () => {
      const { cluster } = rig;
      const identity = { namespace, name: account };
      const others = [
        ...accountsOf(release?.objects ?? [])
          .filter((name) => name !== account)
          .map((name) => ({ namespace, name })),
        { namespace, name: 'default' },
        { namespace: `beside-${namespace}`, name: 'default' },
      ];
      const near = async (who: typeof identity, name: string): Promise<string[]> => {
        const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];
        const may = await Promise.all(
          verbs.map((verb) => mayDo(cluster, who, { verb, resource: 'secrets', namespace, name })),
        );
        return verbs.filter((_, at) => may[at]);
      };
      for (const other of others) {
        for (const name of ['kedge-issuer', 'kedge-key', 'vault-login']) {
          expect([other, name, await near(other, name)]).toEqual([other, name, []]);
        }
      }
      const signsHere = rights().some(({ name }) => name === 'kedge-issuer');
      expect(await near(identity, 'kedge-issuer')).toEqual(signsHere ? ['list', 'watch'] : []);
      expect(await near(identity, 'kedge-key')).toEqual([]);
      expect(await near(identity, 'vault-login')).toEqual([]);
    });
  });
}
