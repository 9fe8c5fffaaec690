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
  const intermediate = root.intermediate({ pathLength: 0 });
  let env: Readonly<Record<string, string>>;
  const mountOf = async (name: string, ca: TestCa): Promise<MeshPki> => {
    const pki = new MeshPki(server, name);
    await pki.create(ca);
    return pki;
  };

  beforeAll(async () => {
    await mountOf('pki', intermediate);
    const login = await enableAppRole(server, directory, { token_policies: ['kedge', 'teams'] });
    env = { KEDGE_VAULT_ADDR: server.address, KEDGE_VAULT_CA_FILE: server.caFile, ...login };
  });
  afterAll(() => directory[Symbol.dispose]());

  it('gives a certificate with both names and what leads to the anchor, and says until when it can', async () => {
    await using rig = await VaultRig.start({ env, bundle: root.bundle });
    await rig.ready();
    const issued = await rig.issuer.issue(request, signal);
    const answer = { request, issued, bundle: root.bundle, now: new Date() };
    expect(() => checkIssued(answer, () => undefined)).not.toThrow();
    expect(issued.intermediates.map(({ label }) => label)).toEqual([intermediate.certificate.label]);
    expect(rig.issuer.state.value).toEqual({
      state: 'ready',
      notBefore: intermediate.certificate.notBefore,
      notAfter: intermediate.certificate.notAfter,
      fingerprint: intermediate.certificate.fingerprint,
      asksCa: true,
    });
  });
});
