import { eventually } from '../../support/eventually.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { TestCa } from '../../support/test-ca.ts';
import { request } from '../support/issue-request.ts';
import { enableAppRole } from './support/app-role.ts';
import { MeshPki } from './support/mesh-pki.ts';
import { onVault } from './support/on-vault.ts';
import { VaultRig } from './support/vault-rig.ts';

const { signal } = new AbortController();

onVault(
  'an issuer in a Vault of two servers',
  (server) => {
    const directory = new TemporaryDirectory();
    const root = TestCa.create();
    let env: Readonly<Record<string, string>>;

    beforeAll(async () => {
      await new MeshPki(server).create(root.intermediate());
      const login = await enableAppRole(server, directory);
      env = { KEDGE_VAULT_ADDR: server.address, KEDGE_VAULT_CA_FILE: server.caFile, ...login };
    });
    afterAll(() => directory[Symbol.dispose]());

    it('signs on when another becomes the leader, which its own server then asks', async () => {
      await using rig = await VaultRig.start({ env, bundle: root.bundle });
      await rig.ready();
      const statusOf = async (at: number): Promise<number> =>
        (await server.node(at).call('sys/health')).status;
      expect(await statusOf(0)).toBe(200);
      await server.changeLeader();
      await eventually(() => rig.issuer.issue(request, signal));
      expect(await statusOf(0)).not.toBe(200);
      await eventually(() => expect(rig.issuer.state.value).not.toHaveProperty('outage'));
    });
  },
  { nodes: 2 },
);
