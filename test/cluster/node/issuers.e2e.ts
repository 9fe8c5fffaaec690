import { eventually } from '../../support/eventually.ts';
import { missingOpenBao } from '../binaries/openbao.ts';
import { certManagerMissing } from '../cert-manager/on-cert-manager.ts';
import { onKubernetes } from '../on-kubernetes.ts';
import {
  certManagerDirect,
  certManagerIntermediate,
  ownCa,
  secretText,
  vaultDirect,
  vaultIntermediate,
} from './issuers/combinations.ts';
import type { Combination } from './issuers/combinations.ts';
import { doctorInPod } from './issuers/doctor.ts';
import { issuerStatus } from './issuers/issuer-status.ts';
import { Mesh } from './issuers/mesh.ts';
import { shownChain } from './issuers/shown-chain.ts';
import { restart } from './rollout.ts';
import { shopNamespace } from './shop/shop.ts';

const minute = 60_000;
const missing = missingOpenBao() ?? certManagerMissing();

/** What stays of every release: the trust bundle and its copies, for they may be all that running proxies go by. */
const bundles = [
  'cert-manager',
  'default',
  'kedge',
  'kube-node-lease',
  'kube-public',
  'kube-system',
  'shop',
  'vault',
].map((namespace) => `ConfigMap ${namespace}/kedge-trust-bundle`);

(missing === undefined ? onKubernetes : skipped)(
  'the issuers on a node, installed by the conventions of the chart',
  (cluster) => {
    let prepared: Mesh | undefined;
    const mesh = (): Mesh => {
      if (prepared === undefined) throw new TypeError('expected a mesh that was prepared');
      return prepared;
    };
    const left = (secrets: readonly string[]): string[] => [
      ...bundles,
      ...secrets.map((name) => `Secret kedge/${name}`),
    ];

    beforeAll(async () => {
      prepared = await Mesh.prepare(cluster);
    }, 10 * minute);

    /** A call that only an identity of the mesh may make, with a certificate of that CA. */
    const carriesCalls = async ({ ca, signs }: Pick<Combination, 'ca' | 'signs'>): Promise<void> => {
      const { shop, authorities } = mesh();
      expect(await shop.call('name')).toMatch(/^api-/);
      expect(await shop.call('address')).toMatch(/^api-/);
      const connections = await shop.connectionsOfWeb();
      expect(connections.length).toBeGreaterThan(0);
      for (const line of connections) expect(line).toContain('tls="true"');
      const chain = await shownChain(shop);
      const { publicKey, subject } = await ca(authorities, cluster);
      expect(chain.slice(0, signs + 1).map((each) => each.isCa)).toEqual([false, true].slice(0, signs + 1));
      expect(chain[signs]?.issuer).toBe(subject);
      expect(chain[signs]?.isSignedBy(publicKey)).toBe(true);
      if (signs === 1) expect(chain[0]?.isSignedBy(chain[1]!.publicKey)).toBe(true);
    };

    /** `known`: destination, `web` and `api`, as far as this replica has given their certificates. */
    const saysUntilWhen = async ({ asksCa }: Combination, known = 3): Promise<void> => {
      const { replicas, workloads } = await issuerStatus(cluster);
      expect(replicas.map(({ status }) => status?.issuer)).toMatchObject([{ state: 'ready', asksCa }]);
      expect(workloads.known).toBeGreaterThanOrEqual(known);
    };

    const install = async (combination: Combination): Promise<void> => {
      const { inVault } = combination;
      if (inVault !== undefined) await mesh().authorities.allowInVault(inVault);
      await mesh().install(combination);
    };

    const installWhileSealed = async (combination: Combination): Promise<void> => {
      const { authorities } = mesh();
      await authorities.allowInVault('direct');
      await authorities.openBao.seal();
      await mesh().install(combination, { wait: false });
      const told = expect.stringContaining('sealed') as string;
      await eventually(async () =>
        expect(await mesh().readiness()).toMatchObject({ status: 503, body: told }),
      );
      await authorities.openBao.unseal();
      await mesh().ready();
    };

    const runs = (combination: Combination, whenReady = install): void => {
      it('is ready once it was installed, and the shop with it', async () => {
        await whenReady(combination);
        expect(await mesh().readiness()).toMatchObject({ status: 200 });
        await mesh().shop.open(1);
      });

      it('carries calls over mutual TLS with certificates of that CA', () => carriesCalls(combination));

      it('says until when the mesh holds, to who may ask', () => saysUntilWhen(combination));

      it('passes the examination of the doctor, but for what nothing here could refuse', async () => {
        const { findings, counts } = await doctorInPod(cluster);
        const wrong = findings.filter(({ result }) => !['pass', 'skip'].includes(result));
        expect(wrong.filter(({ check }) => combination.lacking?.test(check) !== true)).toEqual([]);
        expect(wrong.length > 0).toBe(combination.lacking !== undefined);
        expect(counts.pass).toBeGreaterThan(0);
      });
    };

    const goes = ({ secretsLeft }: Combination): void => {
      it('leaves nothing but what is told of', async () => {
        expect(await mesh().uninstall()).toEqual(left(secretsLeft));
      });
    };

    describe(`${vaultDirect.title}, sealed at first`, () => {
      runs(vaultDirect, installWhileSealed);
      goes(vaultDirect);
    });

    describe.each([vaultIntermediate, certManagerDirect, certManagerIntermediate])(
      '$title',
      (combination) => {
        runs(combination);
        goes(combination);
      },
    );

    describe(`${ownCa.title}, and a move to Vault`, () => {
      runs(ownCa);

      it('loses no request when an upgrade moves it to Vault under its anchor', async () => {
        const { shop, authorities } = mesh();
        await shop.startSteadyClient();
        const anchor = await Promise.all(
          ['tls.crt', 'tls.key'].map((key) => secretText(cluster, 'kedge-trust-anchor', key)),
        );
        const { certificate } = await authorities.moveVaultUnder(anchor[0]!, anchor[1]!);
        await mesh().move(vaultDirect);
        await restart(cluster, shopNamespace, ['deploy/api', 'deploy/web']);
        await carriesCalls({ ca: () => certificate, signs: 0 });
        await saysUntilWhen(vaultDirect, 2);

        const { sent, answered, lost, reasons } = await shop.laterTally();
        expect({ lost, reasons }).toEqual({ lost: 0, reasons: [] });
        // What was asked in the last moment has no answer yet.
        expect(sent - answered).toBeLessThan(40);
      });

      goes(ownCa);
    });
  },
  { node: true },
);

function skipped(name: string): void {
  describe.skip(`${name} (skipped: ${missing ?? ''})`, () => it.todo('install the chart'));
}
