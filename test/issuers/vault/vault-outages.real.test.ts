import type { IssuedCertificate } from '../../../src/issuers/issuer.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { refusalOf } from '../../support/refusal.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { TestCa } from '../../support/test-ca.ts';
import { request } from '../support/issue-request.ts';
import { csrWithBothNames } from './support/csr-with-both-names.ts';
import { enableAppRole, setAppRole } from './support/app-role.ts';
import { MeshPki } from './support/mesh-pki.ts';
import { onVault } from './support/on-vault.ts';
import { VaultRig, type VaultRigOptions } from './support/vault-rig.ts';

const { signal } = new AbortController();

onVault('an issuer in Vault', (server) => {
  const directory = new TemporaryDirectory();
  const root = TestCa.create();
  const pki = new MeshPki(server);
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    await pki.create(root.intermediate({ pathLength: 0 }));
    const login = await enableAppRole(server, directory);
    env = { KEDGE_VAULT_ADDR: server.address, KEDGE_VAULT_CA_FILE: server.caFile, ...login };
  });
  afterAll(() => directory[Symbol.dispose]());

  const start = async (options: Partial<VaultRigOptions> = {}): Promise<VaultRig> => {
    const rig = await VaultRig.start({ env, bundle: root.bundle, ...options });
    await rig.ready();
    return rig;
  };
  const issue = (rig: VaultRig): Promise<IssuedCertificate> => rig.issuer.issue(request, signal);
  /** What it is refused with, until it is refused with this. */
  const refusedWith = (rig: VaultRig, code: string): Promise<string> =>
    eventually(async () => {
      const refusal = await refusalOf(issue(rig));
      expect(refusal).toContain(code);
      return refusal;
    });

  it('says that Vault is sealed, and signs again by itself once it is not', async () => {
    await using rig = await start();
    await server.seal();
    const refusal = await refusalOf(issue(rig));
    expect(refusal).toContain(
      'vault_sealed: expected Vault to answer pki/sign/kedge, got status 503: Vault is sealed',
    );
    expect(rig.issuer.state.value).toMatchObject({ state: 'ready' });
    await eventually(() => expect(JSON.stringify(rig.issuer.state.value)).toContain('Vault is sealed'));
    await server.unseal();
    await eventually(() => issue(rig));
    await eventually(() => expect(rig.issuer.state.value).not.toHaveProperty('degraded'));
    expect(rig.log.withMessage('logged in to Vault')).toHaveLength(1);
  });

  it('is not ready before Vault is unsealed, and becomes so by itself', async () => {
    await server.seal();
    await using rig = await VaultRig.start({ env, bundle: root.bundle });
    await eventually(() => expect(JSON.stringify(rig.issuer.state.value)).toContain('Vault is sealed'));
    expect(rig.issuer.state.value.state).toBe('unavailable');
    await server.unseal();
    await rig.ready();
    await issue(rig);
  });

  it('signs again after a restart of Vault', async () => {
    await using rig = await start();
    await server.node(0).kill();
    expect(await refusalOf(issue(rig))).toContain('vault_unreachable');
    await server.restart();
    await eventually(() => issue(rig));
  });

  it('logs in anew when its token was revoked, without a failed certificate', async () => {
    await using rig = await start();
    const { data } = await server.expect<{ data: { keys: string[] } }>('auth/token/accessors', {
      method: 'LIST',
    });
    for (const accessor of data.keys) {
      const token = await server.expect<{ data: { policies: string[] } }>('auth/token/lookup-accessor', {
        body: { accessor },
      });
      if (token.data.policies.includes('kedge'))
        await server.expect('auth/token/revoke-accessor', { body: { accessor } });
    }
    await issue(rig);
    expect(rig.log.withMessage('logged in to Vault')).toHaveLength(2);
  });

  it('signs on while its token lives a second only', async () => {
    await setAppRole(server, { token_ttl: '1s', token_max_ttl: '4s' });
    await using rig = await start();
    const until = performance.now() + 6_000;
    let signed = 0;
    while (performance.now() < until) {
      await issue(rig);
      signed += 1;
    }
    expect(signed).toBeGreaterThan(10);
    await setAppRole(server, {});
  });

  it('names the path that its policy no longer allows, and signs again once it does', async () => {
    await using rig = await start();
    await pki.setPolicy([]);
    const refusal = await refusedWith(rig, 'vault_forbidden');
    expect(refusal).toContain('expected Vault to answer pki/sign/kedge, got status 403: ');
    await eventually(() =>
      expect(JSON.stringify(rig.issuer.state.value)).toMatch(
        /permission denied|\\"update\\" on pki\/sign\/kedge/,
      ),
    );
    await pki.setPolicy(['sign/kedge']);
    await eventually(() => issue(rig));
    await eventually(() => expect(rig.issuer.state.value).not.toHaveProperty('degraded'));
  });

  it('tells the reason of a role that refuses our names, and does not try again', async () => {
    await using rig = await start();
    await pki.setRole({ allowed_domains: ['example.org'] });
    const error = await issue(rig).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'vault_request_refused', kind: 'failed_precondition' });
    expect(String(error)).toContain(request.dnsName);
    await pki.setRole({ allowed_uri_sans: [] });
    expect(await refusalOf(issue(rig))).toContain('vault_request_refused');
    await pki.setRole({ key_type: 'rsa', key_bits: 2048 });
    expect(await refusalOf(issue(rig))).toContain('role requires keys of type rsa');
    await pki.setRole({ require_cn: true });
    expect(await refusalOf(issue(rig))).toContain('common_name field is required');
    await pki.setRole();
    await issue(rig);
  });

  it('says that the role is not there', async () => {
    await using rig = await start();
    await pki.removeRole();
    expect(await refusalOf(issue(rig))).toContain(
      'vault_path_missing: expected Vault to answer pki/sign/kedge, got status 400: unknown role: kedge',
    );
    await pki.setRole();
    await eventually(() => issue(rig));
  });

  it('says that the mount was removed, and signs again under a new one', async () => {
    const other = new MeshPki(server, 'passing');
    await other.create(root.intermediate());
    await server.expect('sys/policies/acl/kedge', {
      method: 'PUT',
      body: { policy: 'path "+/sign/kedge" { capabilities = ["update"] }' },
    });
    await using rig = await start({ env: { ...env, KEDGE_VAULT_PKI_MOUNT: 'passing' } });
    await other.unmount();
    await refusedWith(rig, 'vault_path_missing');
    await eventually(() => expect(JSON.stringify(rig.issuer.state.value)).toContain('passing'));
    const next = root.intermediate();
    await other.create(next);
    const { intermediates } = await eventually(() => issue(rig));
    expect(intermediates).toEqual([next.certificate]);
    await eventually(() =>
      expect(rig.issuer.state.value).toMatchObject({ fingerprint: next.certificate.fingerprint }),
    );
    await other.unmount();
    await pki.setPolicy(['sign/kedge']);
  });

  it('takes up a CA that was rotated in place, and refuses one of another root', async () => {
    await using rig = await start();
    const next = root.intermediate({ keyType: 'P-384' });
    await pki.setDefaultIssuer(await pki.importCa(next));
    const { intermediates } = await issue(rig);
    expect(intermediates).toEqual([next.certificate]);
    expect(rig.issuer.state.value).toMatchObject({ fingerprint: next.certificate.fingerprint });
    const stranger = TestCa.create().intermediate();
    const id = await pki.importCa(stranger);
    await pki.setDefaultIssuer(id);
    expect(await refusalOf(issue(rig))).toContain('issued_certificate_refused');
    const last = root.intermediate({ keyType: 'RSA' });
    await pki.setDefaultIssuer(await pki.importCa(last));
    await issue(rig);
    expect(rig.issuer.state.value).toMatchObject({ fingerprint: last.certificate.fingerprint });
  });

  it.each([
    ['30 s behind', 30_000],
    ['30 s ahead', -30_000],
  ])('signs with a clock of Vault that is %s', async (_, offsetMs) => {
    const clock = { ...systemClock, now: () => new Date(Date.now() + offsetMs) };
    await using rig = await start({ clock });
    const shifted = {
      ...request,
      notBefore: new Date(request.notBefore.getTime() + offsetMs),
      notAfter: new Date(request.notAfter.getTime() + offsetMs),
    };
    const { leaf } = await rig.issuer.issue(shifted, signal);
    expect(leaf.notAfter.getTime()).toBeLessThanOrEqual(shifted.notAfter.getTime());
    expect(leaf.notAfter.getTime()).toBeGreaterThan(shifted.notAfter.getTime() - 90_000);
    await eventually(() => expect(JSON.stringify(rig.issuer.state.value)).toContain('the clock of Vault is'));
  });

  it('takes a shorter life, and says so once', async () => {
    await pki.setRole({ max_ttl: '10m' });
    await using rig = await start();
    for (let count = 0; count < 3; count += 1) await issue(rig);
    expect(rig.issuer.state.value).toMatchObject({
      degraded: expect.stringContaining('Vault signs for about 10m only, whatever is asked for') as unknown,
    });
    expect(rig.log.withMessage('Vault signs, with a warning')).toHaveLength(1);
    await pki.setRole();
    await issue(rig);
    expect(rig.issuer.state.value).not.toHaveProperty('degraded');
  });

  it('asks for no longer than the CA lasts, which Vault would refuse', async () => {
    const short = root.intermediate({ notAfter: new Date(Date.now() + 1_800_000) });
    await pki.setDefaultIssuer(await pki.importCa(short));
    await using rig = await start();
    const { leaf } = await issue(rig);
    expect(leaf.notAfter.getTime()).toBeLessThanOrEqual(short.certificate.notAfter.getTime());
    await pki.setDefaultIssuer(await pki.importCa(root.intermediate()));
  });

  it('signs under a role that takes the names from the request', async () => {
    await pki.setRole({ use_csr_sans: true });
    await using rig = await start();
    const { leaf } = await rig.issuer.issue({ ...request, csr: csrWithBothNames }, signal);
    expect(leaf.sans).toMatchObject({ dns: [request.dnsName], uri: [request.uri] });
    await pki.setRole();
  });

  it('signs by the issuer that the settings name, whatever the default one is', async () => {
    const named = root.intermediate();
    const id = await pki.importCa(named);
    await pki.setPolicy(['issuer/+/sign/kedge']);
    await using rig = await start({ env: { ...env, KEDGE_VAULT_PKI_ISSUER: id } });
    expect((await issue(rig)).intermediates).toEqual([named.certificate]);
    await pki.setPolicy(['sign/kedge']);
  });
});
