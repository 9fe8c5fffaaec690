import { rmSync } from 'node:fs';
import { encodePrivateKey } from '../../../src/pki/keys.ts';
import { onKubernetes } from '../../cluster/on-kubernetes.ts';
import { eventually } from '../../support/eventually.ts';
import { doctor, examine } from '../../support/kedge-doctor.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { TestCa } from '../../support/test-ca.ts';
import { TokenIssuer } from '../../support/token-issuer.ts';
import { request } from '../support/issue-request.ts';
import { apply } from './doctor/apply.ts';
import { enableAppRole, setAppRole } from './support/app-role.ts';
import { MeshPki } from './support/mesh-pki.ts';
import { onVault } from './support/on-vault.ts';
import { seedBundle } from './support/seed-bundle.ts';
import { VaultRig } from './support/vault-rig.ts';
import type { VaultServer } from './support/vault-server.ts';

const { signal } = new AbortController();
const root = TestCa.create();
const policies = { token_policies: ['kedge'], token_ttl: '1h' };

type Env = Readonly<Record<string, string>>;

const common = (server: VaultServer): Env => ({
  KEDGE_VAULT_ADDR: server.address,
  KEDGE_VAULT_CA_FILE: server.caFile,
});

/** Logs in, has a certificate signed, ends; gives what was told meanwhile. */
async function signsWith(env: Env): Promise<string> {
  await using rig = await VaultRig.start({ env, bundle: root.bundle });
  await rig.ready();
  await rig.issuer.issue(request, signal);
  return await rig.told();
}

/** Starts an issuer that cannot log in; gives its reason. */
async function refusedWith(env: Env): Promise<string> {
  await using rig = await VaultRig.start({ env, bundle: root.bundle });
  const failed = await eventually(() => {
    const [record] = rig.log.withMessage('could not log in to Vault');
    if (record === undefined) throw new Error('expected a refusal');
    return record.fields;
  });
  expect(rig.issuer.state.value.state).toBe('unavailable');
  return `${String(failed['code'])}: ${String(failed['reason'])}`;
}

onVault('a log-in to Vault', (server) => {
  const directory = new TemporaryDirectory();
  afterAll(() => directory[Symbol.dispose]());
  beforeAll(() => new MeshPki(server).create(root.intermediate()));

  describe('by AppRole', () => {
    let env: Env;
    beforeAll(async () => {
      env = { ...common(server), ...(await enableAppRole(server, directory)) };
    });

    it('takes role id and secret id from their files, and tells neither', async () => {
      const told = await signsWith(env);
      expect(told).toContain('"login":"auth/approle/login"');
      expect(told).not.toMatch(/hvs\.|"s\.|client_token/);
    });

    it('takes a batch token', async () => {
      await setAppRole(server, { token_type: 'batch' });
      await signsWith(env);
      await setAppRole(server, { token_type: 'default' });
    });

    it('says that the secret id is not accepted', async () => {
      directory.write({ wrong: '00000000-0000-0000-0000-000000000000' });
      const refused = await refusedWith({ ...env, KEDGE_VAULT_SECRET_ID_FILE: directory.file('wrong') });
      expect(refused).toMatch(
        /^vault_login_refused: expected Vault to answer auth\/approle\/login, got status 400: invalid/,
      );
    });

    it('says which file is missing, and logs in once it is there', async () => {
      const late = { ...env, KEDGE_VAULT_ROLE_ID_FILE: directory.file('late') };
      await using rig = await VaultRig.start({ env: late, bundle: root.bundle });
      await eventually(() => {
        const { state } = rig.issuer;
        expect(JSON.stringify(state.value)).toContain(
          `expected a file at ${directory.file('late')}, found none`,
        );
      });
      const { data } = await server.expect<{ data: { role_id: string } }>('auth/approle/role/kedge/role-id');
      directory.write({ late: data.role_id });
      await rig.ready();
    });

    it('gives its token back at the end', async () => {
      const accessors = async (): Promise<number> => {
        const { data } = await server.expect<{ data: { keys: string[] } }>('auth/token/accessors', {
          method: 'LIST',
        });
        return data.keys.length;
      };
      const before = await accessors();
      const rig = await VaultRig.start({ env, bundle: root.bundle });
      await rig.ready();
      expect(await accessors()).toBe(before + 1);
      await rig[Symbol.asyncDispose]();
      expect(await accessors()).toBe(before);
    });
  });

  describe('by JWT', () => {
    const issuer = new TokenIssuer({ audience: 'vault' });
    const env = (): Env => ({
      ...common(server),
      KEDGE_VAULT_AUTH: 'jwt',
      KEDGE_VAULT_AUTH_MOUNT: 'clusters/one',
      KEDGE_VAULT_JWT_FILE: directory.file('jwt'),
    });

    beforeAll(async () => {
      const pem = issuer.publicKey.export({ type: 'spki', format: 'pem' });
      await server.expect('sys/auth/clusters/one', { body: { type: 'jwt' } });
      await server.expect('auth/clusters/one/config', { body: { jwt_validation_pubkeys: [pem] } });
      const bound = {
        bound_audiences: ['vault'],
        bound_subject: 'system:serviceaccount:kedge:kedge-identity',
      };
      const role = { role_type: 'jwt', user_claim: 'sub', ...bound, ...policies };
      await server.expect('auth/clusters/one/role/kedge', { body: role });
    });

    it('presents the token in its file, at a mount that is several folders deep', async () => {
      directory.write({ jwt: issuer.sign('system:serviceaccount:kedge:kedge-identity') });
      const told = await signsWith(env());
      expect(told).toContain('"login":"auth/clusters/one/login as kedge"');
      expect(told).not.toContain('eyJ');
    });

    it('says that the subject is another', async () => {
      const jwt = issuer.sign('system:serviceaccount:shop:web');
      directory.write({ jwt });
      const refused = await refusedWith(env());
      expect(refused).toContain('vault_login_refused');
      expect(refused).not.toContain(jwt);
    });
  });

  describe('by a client certificate', () => {
    const clients = TestCa.create({ commonName: 'clients' });
    const present = (commonName: string): void => {
      const { certificate, key } = clients.leaf({ commonName });
      directory.write({ 'client.crt': certificate.pem, 'client.key': encodePrivateKey(key) });
    };
    const env = (): Env => ({
      ...common(server),
      KEDGE_VAULT_AUTH: 'cert',
      KEDGE_VAULT_CLIENT_CERT_FILE: directory.file('client.crt'),
      KEDGE_VAULT_CLIENT_KEY_FILE: directory.file('client.key'),
    });

    beforeAll(async () => {
      await server.expect('sys/auth/cert', { body: { type: 'cert' } });
      const role = {
        certificate: clients.certificate.pem,
        allowed_common_names: ['kedge-identity'],
        ...policies,
      };
      await server.expect('auth/cert/certs/kedge', { body: role });
    });

    it('presents it, and the next one once the files have changed', async () => {
      present('somebody-else');
      await using rig = await VaultRig.start({ env: env(), bundle: root.bundle });
      await eventually(() => expect(rig.log.text).toContain('vault_login_refused'));
      present('kedge-identity');
      await rig.ready();
      await rig.issuer.issue(request, signal);
    });
  });

  describe('by a token file', () => {
    const env = (): Env => ({
      ...common(server),
      KEDGE_VAULT_AUTH: 'token-file',
      KEDGE_VAULT_TOKEN_FILE: directory.file('token'),
    });
    const token = async (): Promise<string> => {
      const body = { policies: ['kedge'], ttl: '1h' };
      const answer = await server.expect<{ auth: { client_token: string } }>('auth/token/create', { body });
      return answer.auth.client_token;
    };

    it('takes the next one when the present one is revoked, and gives none back', async () => {
      const [first, second] = [await token(), await token()];
      directory.write({ token: `${first}\n` });
      await using rig = await VaultRig.start({ env: env(), bundle: root.bundle });
      await rig.ready();
      directory.write({ token: second });
      await server.expect('auth/token/revoke', { body: { token: first } });
      await rig.issuer.issue(request, signal);
      const told = await rig.told();
      expect([first, second].filter((each) => told.includes(each))).toEqual([]);
      await rig[Symbol.asyncDispose]();
      await server.expect('auth/token/lookup-self', { token: second });
    });

    it('says that the file is empty or gone', async () => {
      directory.write({ token: '' });
      expect(await refusedWith(env())).toContain('vault_credentials_missing: expected a credential in ');
      rmSync(directory.file('token'));
      expect(await refusedWith(env())).toContain('found none');
    });
  });

  it('says that nothing is mounted where it should log in', async () => {
    directory.write({ jwt: 'eyJ.eyJ.x' });
    const env = { ...common(server), KEDGE_VAULT_AUTH: 'jwt', KEDGE_VAULT_JWT_FILE: directory.file('jwt') };
    expect(await refusedWith({ ...env, KEDGE_VAULT_AUTH_MOUNT: 'none' })).toMatch(
      /^vault_(login_refused|path_missing): /,
    );
  });

  onKubernetes('by the token of a ServiceAccount', (cluster) => {
    const env = (): Env => ({ ...common(server), KEDGE_VAULT_JWT_FILE: directory.file('projected') });
    const account = { namespace: 'kedge', name: 'kedge-identity' };

    beforeAll(async () => {
      await cluster.createNamespace('kedge');
      await cluster.kubectl(['create', 'serviceaccount', 'kedge-identity', '-n', 'kedge']);
      await cluster.kubectl(['create', 'serviceaccount', 'vault', '-n', 'kedge']);
      const binding = ['create', 'clusterrolebinding', 'vault', '--clusterrole', 'system:auth-delegator'];
      await cluster.kubectl([...binding, '--serviceaccount', 'kedge:vault']);
      const reviewer = await cluster.token({ namespace: 'kedge', name: 'vault' });
      const config = {
        kubernetes_host: cluster.server,
        kubernetes_ca_cert: cluster.ca,
        token_reviewer_jwt: reviewer,
      };
      await server.expect('sys/auth/kubernetes', { body: { type: 'kubernetes' } });
      await server.expect('auth/kubernetes/config', { body: { ...config, disable_local_ca_jwt: true } });
      const bound = {
        bound_service_account_names: ['kedge-identity'],
        bound_service_account_namespaces: ['kedge'],
      };
      await server.expect('auth/kubernetes/role/kedge', {
        body: { ...bound, audience: 'vault', ...policies },
      });
    });

    it('presents its own projected token, which a TokenReview confirms', async () => {
      directory.write({ projected: await cluster.token(account, { audience: 'vault' }) });
      const told = await signsWith(env());
      expect(told).toContain('"login":"auth/kubernetes/login as kedge"');
      expect(told).not.toContain('eyJ');
    });

    it('is refused with a token for another audience, or of another ServiceAccount', async () => {
      directory.write({ projected: await cluster.token(account) });
      expect(await refusedWith(env())).toContain('vault_login_refused');
      const other = { namespace: 'kedge', name: 'default' };
      directory.write({ projected: await cluster.token(other, { audience: 'vault' }) });
      expect(await refusedWith(env())).toContain('vault_login_refused');
    });

    it('has replicas that begin at once agree on one trust anchor, though Vault shows them two', async () => {
      const mounts = ['pki', 'pki-of-another-root'];
      const stranger = TestCa.create();
      const other = new MeshPki(server, 'pki-of-another-root');
      await other.create(stranger.intermediate());
      for (const bundle of ['first-bundle', 'second-bundle', 'third-bundle']) {
        const replicas = [...mounts, ...mounts.toReversed()];
        const told = replicas.map((mount) => seedBundle(cluster, { env: env(), bundle, mount }));
        expect(await Promise.all(told)).toEqual(replicas.map(() => ['well']));
        const path = `/api/v1/namespaces/kedge/configmaps/${bundle}`;
        const { data } = await cluster.expect<{ data: Record<string, string> }>(path);
        expect([root, stranger].map(({ certificate }) => certificate.pem)).toContain(data['ca-bundle.crt']);
      }
      await other.unmount();
      await new MeshPki(server).setPolicy(['sign/kedge']);
    });

    it('passes kedge doctor under the roles and the policy that it prints', async () => {
      directory.write({
        projected: await cluster.token(account, { audience: 'vault' }),
        'anchors.pem': root.anchor.pem,
      });
      const anchors = { KEDGE_TRUST_ANCHORS_FILE: directory.file('anchors.pem') };
      const settings = { ...env(), ...anchors, KEDGE_ISSUER: 'vault' };
      const { text } = await doctor(settings, '--print');
      await apply(text, server, directory);
      const report = await examine(settings);
      expect(report.findings.filter(({ result }) => result === 'fail')).toEqual([]);
      expect(report.findings.find(({ check }) => check === 'vault.login')).toMatchObject({
        result: 'pass',
        seen: 'auth/kubernetes/login as kedge',
      });
    });

    it('says so while the API server is away, and logs in once it is back', async () => {
      directory.write({ projected: await cluster.token(account, { audience: 'vault' }) });
      await cluster.stop();
      await using rig = await VaultRig.start({ env: env(), bundle: root.bundle });
      await eventually(() => expect(rig.log.text).toContain('could not log in to Vault'));
      await cluster.restart();
      await rig.ready();
    });
  });
});
