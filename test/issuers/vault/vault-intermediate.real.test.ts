import { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { TestCa } from '../../support/test-ca.ts';
import { request } from '../support/issue-request.ts';
import { enableAppRole } from './support/app-role.ts';
import { MeshPki } from './support/mesh-pki.ts';
import { onVault } from './support/on-vault.ts';
import { VaultRig } from './support/vault-rig.ts';

const signal = new AbortController().signal;

onVault('VaultIntermediate', (server) => {
  const directory = new TemporaryDirectory();
  const root = TestCa.create();
  const middle = root.intermediate();
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    await new MeshPki(server).create(middle);
    const login = await enableAppRole(server, directory);
    env = {
      KEDGE_VAULT_ADDR: server.address,
      KEDGE_VAULT_CA_FILE: server.caFile,
      KEDGE_ISSUER_MODE: 'intermediate',
      ...login,
    };
  });
  afterAll(() => directory[Symbol.dispose]());

  it('has a CA of its own signed, for this trust domain and no further CA, and signs with it', async () => {
    await using rig = await VaultRig.start({ env, bundle: root.bundle });
    await rig.ready();
    const { leaf, intermediates } = await rig.issuer.issue(request, signal);
    const [own, above] = intermediates;
    expect(intermediates).toHaveLength(2);
    expect(own?.subject).toBe('CN=identity.cluster.local');
    expect(own?.pathLength).toBe(0);
    expect(own?.nameConstraints).toMatchObject({ permittedDns: ['cluster.local'], unsupported: [] });
    expect(above?.fingerprint).toBe(middle.certificate.fingerprint);
    expect(leaf.notAfter).toEqual(request.notAfter);
  });

  it('has one for each replica', async () => {
    await using one = await VaultRig.start({ env, bundle: root.bundle });
    await using other = await VaultRig.start({ env, bundle: root.bundle });
    await Promise.all([one.ready(), other.ready()]);
    const fingerprints = [one, other].map(({ issuer }) => issuer.state.value);
    expect(fingerprints[0]).not.toEqual(fingerprints[1]);
  });
});
