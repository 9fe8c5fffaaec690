import { concerned, doctor, examine } from '../../../support/kedge-doctor.ts';
import { SecretWatch } from '../../../support/secret-watch.ts';
import { TemporaryDirectory } from '../../../support/temporary-directory.ts';
import { TestCa } from '../../../support/test-ca.ts';
import { TokenIssuer } from '../../../support/token-issuer.ts';
import { encodePrivateKey } from '../../../../src/pki/keys.ts';
import { encodePem } from '../../../../src/pki/pem.ts';
import { testKeyPair } from '../../../support/certificate-builder.ts';
import { buildCsr } from '../../../support/csr-builder.ts';
import { MeshPki } from '../support/mesh-pki.ts';
import { onVault } from '../support/on-vault.ts';
import { apply } from './apply.ts';

const decade = new Date(Date.now() + 10 * 365 * 24 * 3_600_000);
const root = TestCa.create({ notAfter: decade });

/** A policy as printed, as pieces that can be taken away. */
interface Printed {
  readonly script: string;
  readonly policy: string;
  readonly rules: readonly string[];
  readonly role: Readonly<Record<string, string>>;
}

function pieces(script: string): Printed {
  const [, policy = ''] = /<<'POLICY'\n([^]*?)\nPOLICY\n/.exec(script) ?? [];
  const [, role = ''] = /write pki\/roles\/kedge \\\n([^]*?)\n\n/.exec(script) ?? [];
  const fields = [...role.matchAll(/^ {2}(\w+)='(.*)'/gm)].map(([, name = '', value = '']) => [name, value]);
  return {
    script,
    policy,
    rules: policy.match(/^path ".*" \{(?:.+\}$|\n[^]*?^\}$)/gm) ?? [],
    role: Object.fromEntries(fields) as Record<string, string>,
  };
}

onVault('kedge doctor issuer, with Vault signing each certificate', (server) => {
  const directory = new TemporaryDirectory();
  const watch = new SecretWatch();
  let env: Readonly<Record<string, string>> = {};
  let printed = pieces('');
  /** The same policy without what it says of parameters. */
  let anyParameter = '';

  const setPolicy = (policy: string): Promise<unknown> =>
    server.expect('sys/policies/acl/kedge', { method: 'PUT', body: { policy } });
  const setRole = (role: Readonly<Record<string, unknown>>): Promise<unknown> =>
    server.expect('pki/roles/kedge', { body: role });
  const patchRole = (change: Readonly<Record<string, unknown>>): Promise<unknown> =>
    setRole({ ...printed.role, ...change });

  beforeAll(async () => {
    const pki = new MeshPki(server);
    await pki.create(root.intermediate({ notAfter: decade }));
    await pki.removeRole();
    await server.expect('sys/policies/acl/kedge', { method: 'DELETE' });
    await server.expect('sys/auth/approle', { body: { type: 'approle' } });
    directory.write({ 'anchors.pem': root.anchor.pem });
    env = {
      KEDGE_ISSUER: 'vault',
      KEDGE_VAULT_ADDR: server.address,
      KEDGE_VAULT_CA_FILE: server.caFile,
      KEDGE_VAULT_AUTH: 'approle',
      KEDGE_VAULT_ROLE_ID_FILE: directory.file('role-id'),
      KEDGE_VAULT_SECRET_ID_FILE: directory.file('secret-id'),
      KEDGE_TRUST_ANCHORS_FILE: directory.file('anchors.pem'),
    };
    const { code, text } = await doctor(env, '--print');
    expect(code).toBe(0);
    printed = pieces(text);
    anyParameter = printed.policy.replace(/^ {2}allowed_parameters = \{[^]*?^ {2}\}\n/m, '');
    // What stands in comments for somebody to run by hand.
    const byHand = text.match(/^# {3}"\$vault" (read|write -f) .*$/gm) ?? [];
    await apply([text, ...byHand.map((line) => line.slice(1))].join('\n'), server, directory);
  });
  afterAll(() => directory[Symbol.dispose]());

  it('passes on what it has printed', async () => {
    const report = await examine(env);
    expect(report.findings.filter(({ result }) => result !== 'pass')).toEqual([]);
    expect(report).toMatchObject({ code: 0, result: 'pass', issuer: 'vault', mode: 'direct' });
    const checks = report.findings.map(({ check }) => check);
    expect(new Set(checks).size).toBe(checks.length);
    expect(checks).toEqual(
      expect.arrayContaining(['vault.login', 'vault.sign', 'vault.no-year', 'vault.no-right.around']),
    );
  });

  it('names each path that is taken out of the policy', async () => {
    const { rules, policy } = printed;
    expect(rules).toHaveLength(6);
    for (const rule of rules) {
      await setPolicy(policy.replace(rule, ''));
      const [, path = ''] = /"(.*?)"/.exec(rule) ?? [];
      const report = await examine(env);
      expect([path, concerned(report), report.code]).toEqual([
        path,
        [`policy ${path}`],
        path === 'pki/sign/kedge' ? 1 : 2,
      ]);
    }
    await setPolicy(policy);
  });

  it('names the path where a parameter that is sent is not allowed', async () => {
    const sent = printed.policy.match(/^ {4}"\w+" = .*$/gm) ?? [];
    expect(sent).toHaveLength(7);
    for (const parameter of sent) {
      await setPolicy(printed.policy.replace(`${parameter}\n`, ''));
      const report = await examine(env);
      expect([parameter, concerned(report), report.code]).toEqual([parameter, ['policy pki/sign/kedge'], 1]);
      expect(report.findings.find(({ check }) => check === 'vault.sign')?.remedy).toContain(
        'allowed_parameters with all that are sent (csr, common_name,',
      );
    }
    await setPolicy(printed.policy);
  });

  it.each<[string, object]>([
    ['an end of its own', { not_after: '2199-01-01T00:00:00Z' }],
    ['a beginning of its own', { not_before: '2020-01-01T00:00:00Z' }],
    ['IP addresses', { ip_sans: '192.0.2.1' }],
    ['other names', { other_sans: '1.3.6.1.4.1.311.20.2.3;utf8:admin' }],
    ['a serial number', { serial_number: '1' }],
    ['a common name', { common_name: 'kedge-identity.kedge.serviceaccount.identity.kedge.cluster.local' }],
    ['another format', { format: 'pem_bundle' }],
  ])('leaves a token no way to ask for %s', async (_, more) => {
    const { auth } = await server.expect<{ auth: { client_token: string } }>('auth/token/create', {
      body: { policies: ['kedge'], no_default_policy: true, ttl: '1m' },
    });
    const dnsName = 'kedge-identity.kedge.serviceaccount.identity.kedge.cluster.local';
    const csr = encodePem('CERTIFICATE REQUEST', buildCsr({ keyPair: testKeyPair(), dnsNames: [dnsName] }));
    const sign = (parameters: object): Promise<{ readonly status: number }> =>
      server.node(0).call('pki/sign/kedge', {
        ...{ method: 'POST', token: auth.client_token },
        body: { ...{ csr, common_name: '', exclude_cn_from_sans: true, alt_names: dnsName }, ...parameters },
      });
    expect(await sign({ ttl: '60s' })).toMatchObject({ status: 200 });
    expect(await sign({ ttl: '60s', ...more })).toMatchObject({ status: 403 });
  });

  it('names each field that is taken out of the role', async () => {
    for (const field of Object.keys(printed.role)) {
      const rest = Object.entries(printed.role).filter(([name]) => name !== field);
      await setRole(Object.fromEntries(rest));
      const report = await examine(env);
      expect([field, concerned(report)]).toEqual([field, [`role ${field}`]]);
      expect(report.code).toBeGreaterThan(0);
    }
    await setRole(printed.role);
  });

  it.each<[string, Readonly<Record<string, unknown>>, string, string]>([
    ['any name', { allow_any_name: true }, 'vault.no-foreign-dns-name', 'allow_any_name=false'],
    ['names of Services', { allowed_domains: 'cluster.local' }, 'vault.no-service-name', 'allowed_domains'],
    [
      'SPIFFE IDs of others',
      { allowed_uri_sans: 'spiffe://*' },
      'vault.no-foreign-spiffe-id',
      'allowed_uri_sans',
    ],
    ['IP addresses', { allow_ip_sans: true }, 'vault.no-ip-address', 'allow_ip_sans=false'],
    [
      'wildcards',
      { allow_wildcard_certificates: true },
      'vault.no-wildcard',
      'allow_wildcard_certificates=false',
    ],
    ['localhost', { allow_localhost: true }, 'vault.no-localhost', 'allow_localhost=false'],
    ['a year', { max_ttl: '8760h' }, 'vault.no-year', 'max_ttl'],
  ])(
    'fails where the role signs %s, also where the role may not be looked at',
    async (_, change, check, remedy) => {
      await patchRole(change);
      await setPolicy(anyParameter.replace(/^path "pki\/roles.*$/m, ''));
      const report = await examine(env);
      expect(report.findings.find((each) => each.check === check)).toMatchObject({
        result: 'fail',
        remedy: expect.stringContaining(remedy) as string,
      });
      expect(report.code).toBe(1);
      await setPolicy(printed.policy);
      await setRole(printed.role);
    },
  );

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['not_after', { not_after: '2199-01-01T00:00:00Z' }],
    ['issuer_ref', { issuer_ref: 'nothing' }],
    ['signature_bits', { signature_bits: 512 }],
  ])(
    'names %s where our own name is not signed for it, and the role may not be looked at',
    async (field, change) => {
      await patchRole(change);
      await setPolicy(printed.policy.replace(/^path "pki\/roles.*$/m, ''));
      const report = await examine(env);
      expect(concerned(report)).toEqual(['policy pki/roles/kedge', `role ${field}`]);
      await setPolicy(printed.policy);
      await setRole({ ...printed.role, not_after: '', issuer_ref: 'default' });
    },
  );

  it.each<[string, string, string]>([
    ['sign past the role', 'path "pki/sign-verbatim" { capabilities = ["update"] }', 'vault.no-right.around'],
    ['sign under any role', 'path "pki/sign/*" { capabilities = ["update"] }', 'vault.no-right.around'],
    ['sign CAs', 'path "pki/root/sign-intermediate" { capabilities = ["update"] }', 'vault.no-right.ca'],
    ['import CAs', 'path "pki/issuers/*" { capabilities = ["create", "update"] }', 'vault.no-right.ca'],
    ['change its role', 'path "pki/roles/*" { capabilities = ["patch"] }', 'vault.no-right.role'],
    ['revoke', 'path "pki/revoke" { capabilities = ["update"] }', 'vault.no-right.revoke'],
    ['change policies', 'path "sys/policies/*" { capabilities = ["update"] }', 'vault.no-right.vault'],
    ['change its policy', 'path "sys/policy/kedge" { capabilities = ["update"] }', 'vault.no-right.vault'],
    [
      'change the role of its log-in',
      'path "auth/approle/role/kedge" { capabilities = ["update"] }',
      'vault.no-right.vault',
    ],
    [
      'make tokens without a parent',
      'path "auth/token/create-orphan" { capabilities = ["update"] }',
      'vault.no-right.vault',
    ],
    ['take the engine away', 'path "sys/mounts/pki" { capabilities = ["delete"] }', 'vault.no-right.vault'],
    ['read all secrets', 'path "*" { capabilities = ["read", "list"] }', 'vault.no-right.others'],
  ])('fails where the token may %s', async (_, rule, check) => {
    await setPolicy(`${printed.policy}\n${rule}`);
    const report = await examine(env);
    expect(report.findings.find((each) => each.check === check)).toMatchObject({ result: 'fail' });
    expect(report.code).toBe(1);
    await setPolicy(printed.policy);
  });

  it('fails where the policy lets a request name its own end, which no role limits', async () => {
    await setPolicy(anyParameter);
    const report = await examine(env);
    expect(concerned(report)).toEqual(['policy pki/sign/kedge not_after']);
    expect(report.findings.filter(({ result }) => result !== 'pass')).toMatchObject([
      { check: 'vault.no-end-date', result: 'fail', seen: expect.stringContaining('72h') as string },
    ]);
    await setPolicy(printed.policy);
  });

  it.each<[string, Readonly<Record<string, string>>, string, string]>([
    ['a mount', { KEDGE_VAULT_PKI_MOUNT: 'nothing' }, 'vault.ca', 'mount nothing/issuer/default/json'],
    ['a way to log in', { KEDGE_VAULT_AUTH_MOUNT: 'nothing' }, 'vault.login', 'auth'],
    ['a server', { KEDGE_VAULT_ADDR: 'https://127.0.0.1:1' }, 'vault.reach', 'address'],
    ['a server of that name', { KEDGE_VAULT_SERVER_NAME: 'other.example.org' }, 'vault.tls', 'tls'],
    ['a CA for it', { KEDGE_VAULT_CA_FILE: '' }, 'vault.tls', 'tls'],
    ['an anchor', { KEDGE_TRUST_ANCHORS_FILE: '/not/there' }, 'anchors', 'KEDGE_TRUST_ANCHORS_FILE'],
  ])('says so where there is not %s', async (_, change, check, concerns) => {
    const report = await examine({ ...env, ...change });
    const found = report.findings.find((each) => each.check === check);
    expect(found).toMatchObject({ result: 'fail', concerns });
    expect(found?.remedy).not.toBe('');
    expect(report.code).toBe(1);
  });

  it('names the setting where it names an issuer that is not there', async () => {
    await setPolicy(`${printed.policy}\npath "pki/issuer/nothing/sign/kedge" { capabilities = ["update"] }`);
    const { findings } = await examine({ ...env, KEDGE_VAULT_PKI_ISSUER: 'nothing' });
    const remedy = 'Set KEDGE_VAULT_PKI_ISSUER to a name or an id out of `vault list pki/issuers`';
    for (const check of ['vault.ca', 'vault.sign']) {
      expect(findings.find((each) => each.check === check)).toMatchObject({
        ...{ result: 'fail', concerns: 'KEDGE_VAULT_PKI_ISSUER' },
        remedy: expect.stringContaining(remedy) as string,
      });
    }
    await setPolicy(printed.policy);
  });

  it('says that the CA leads to no anchor', async () => {
    directory.write({ 'others.pem': TestCa.create().anchor.pem });
    const report = await examine({ ...env, KEDGE_TRUST_ANCHORS_FILE: directory.file('others.pem') });
    expect(report.findings.find(({ check }) => check === 'vault.ca')).toMatchObject({ result: 'fail' });
    expect(report.findings.find(({ check }) => check === 'vault.sign')?.seen).toContain('rule "chain"');
  });

  it('takes a token of whoever runs it, and says that it speaks for that one alone', async () => {
    const own = { ...env, VAULT_TOKEN: server.rootToken };
    const report = await examine(own, '--own-token');
    expect(report.findings.find(({ check }) => check === 'vault.login')).toMatchObject({ result: 'skip' });
    expect(report.findings.find(({ check }) => check === 'vault.no-right.ca')).toMatchObject({
      result: 'skip',
    });
    expect(concerned(report)).toEqual(['auth token_policies']);
  });

  it('gives its token back, and leaves no certificate', async () => {
    const list = async (path: string): Promise<number> => {
      const { status, body } = await server.node(0).call(path, { method: 'LIST', token: server.rootToken });
      const { data } = body as { readonly data?: { readonly keys: readonly string[] } };
      return status === 404 ? 0 : (data?.keys.length ?? 0);
    };
    const before = [await list('auth/token/accessors'), await list('pki/certs')];
    await examine(env);
    expect([await list('auth/token/accessors'), await list('pki/certs')]).toEqual(before);
  });

  describe('with another way to log in, as printed', () => {
    const printAndExamine = async (more: Readonly<Record<string, string>>): Promise<string[]> => {
      const other = { ...env, ...more };
      const { text } = await doctor(other, '--print');
      await apply(text, server, directory);
      const report = await examine(other);
      expect(report.findings.find(({ check }) => check === 'vault.login')).toMatchObject({ result: 'pass' });
      return concerned(report);
    };

    it('passes with the token of a ServiceAccount by JWT', async () => {
      const tokens = new TokenIssuer({ audience: 'vault' });
      const pem = tokens.publicKey.export({ type: 'spki', format: 'pem' });
      await server.expect('sys/auth/clusters/one', { body: { type: 'jwt' } });
      await server.expect('auth/clusters/one/config', { body: { jwt_validation_pubkeys: [pem] } });
      directory.write({ jwt: tokens.sign('system:serviceaccount:kedge:kedge-identity') });
      const jwt = { KEDGE_VAULT_AUTH: 'jwt', KEDGE_VAULT_AUTH_MOUNT: 'clusters/one' };
      expect(await printAndExamine({ ...jwt, KEDGE_VAULT_JWT_FILE: directory.file('jwt') })).toEqual([]);
    });

    it('passes with a client certificate', async () => {
      const clients = TestCa.create({ commonName: 'clients' });
      const { certificate, key } = clients.leaf({ commonName: 'kedge-identity' });
      await server.expect('sys/auth/cert', { body: { type: 'cert' } });
      directory.write({
        'clients.pem': clients.certificate.pem,
        'client.crt': certificate.pem,
        'client.key': encodePrivateKey(key),
      });
      const files = {
        KEDGE_VAULT_CLIENT_CERT_FILE: directory.file('client.crt'),
        KEDGE_VAULT_CLIENT_KEY_FILE: directory.file('client.key'),
      };
      expect(await printAndExamine({ ...files, KEDGE_VAULT_AUTH: 'cert' })).toEqual([]);
    });
  });

  it('shows a table that lines up, without a secret in it', async () => {
    const { text } = await doctor(env);
    const [title, , header = '', ...lines] = text.split('\n');
    expect(title).toBe(
      'issuer vault, mode direct, asked for kedge-identity.kedge.serviceaccount.identity.kedge.cluster.local',
    );
    const rows = lines.slice(0, lines.indexOf(''));
    expect(rows.length).toBeGreaterThan(20);
    for (const name of ['CHECK', 'SEEN']) {
      const at = header.indexOf(name);
      expect(rows.filter((row) => row.length > at && row[at - 1] !== ' ')).toEqual([]);
    }
    expect(text).not.toContain('\u001b');
    watch.secret('the root token', server.rootToken);
    watch.pattern('a token', /\b(hv)?s\.[A-Za-z0-9]{20,}/);
    watch.pattern('a request', /BEGIN|eyJ/);
    watch.output(() => text);
    expect(watch.leaks()).toEqual([]);
  });
});
