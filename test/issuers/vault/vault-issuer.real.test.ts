import { checkIssued } from '../../../src/issuers/check-issued.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { TestCa } from '../../support/test-ca.ts';
import { request } from '../support/issue-request.ts';
import { enableAppRole } from './support/app-role.ts';
import { MeshPki } from './support/mesh-pki.ts';
import { onVault } from './support/on-vault.ts';
import { VaultRig } from './support/vault-rig.ts';

const signal = new AbortController().signal;

onVault('VaultIssuer', (server) => {
  const directory = new TemporaryDirectory();
  const root = TestCa.create();
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    await new MeshPki(server).create(root.intermediate({ pathLength: 0 }));
    const login = await enableAppRole(server, directory);
    env = { KEDGE_VAULT_ADDR: server.address, KEDGE_VAULT_CA_FILE: server.caFile, ...login };
  });
  afterAll(() => directory[Symbol.dispose]());

  it('gives a certificate with both names, and what leads to the anchor', async () => {
    await using rig = await VaultRig.start({ env, bundle: root.bundle });
    await rig.ready();
    const issued = await rig.issuer.issue(request, signal);
    expect(() =>
      checkIssued({ request, issued, bundle: root.bundle, now: new Date() }, () => undefined),
    ).not.toThrow();
    console.log(
      rig.log.text,
      rig.issuer.state.value,
      issued.leaf.notAfter,
      request.notAfter,
      issued.intermediates.map((x) => x.label),
    );
  });
});
