import { concerned, doctor, examine } from '../../../support/kedge-doctor.ts';
import { TemporaryDirectory } from '../../../support/temporary-directory.ts';
import { TestCa } from '../../../support/test-ca.ts';
import { MeshPki } from '../support/mesh-pki.ts';
import { onVault } from '../support/on-vault.ts';
import { apply } from './apply.ts';

const decade = new Date(Date.now() + 10 * 365 * 24 * 3_600_000);
const root = TestCa.create({ notAfter: decade });
const path = 'pki/root/sign-intermediate';

onVault('kedge doctor issuer, with Vault signing intermediates', (server) => {
  const directory = new TemporaryDirectory();
  let env: Readonly<Record<string, string>> = {};
  let policy = '';

  const setPolicy = (text: string): Promise<unknown> =>
    server.expect('sys/policies/acl/kedge', { method: 'PUT', body: { policy: text } });

  beforeAll(async () => {
    await new MeshPki(server).create(root.intermediate({ notAfter: decade }));
    directory.write({ 'anchors.pem': root.anchor.pem });
    env = {
      KEDGE_ISSUER: 'vault',
      KEDGE_ISSUER_MODE: 'intermediate',
      KEDGE_VAULT_ADDR: server.address,
      KEDGE_VAULT_CA_FILE: server.caFile,
      KEDGE_VAULT_AUTH: 'token-file',
      KEDGE_VAULT_TOKEN_FILE: directory.file('token'),
      KEDGE_TRUST_ANCHORS_FILE: directory.file('anchors.pem'),
    };
    const { text } = await doctor(env, '--print');
    policy = /<<'POLICY'\n([^]*?)\nPOLICY\n/.exec(text)?.[1] ?? '';
    const byHand = text.match(/^# {3}\(umask .*$/gm) ?? [];
    await apply([text, ...byHand.map((line) => line.slice(1))].join('\n'), server, directory);
  });
  afterAll(() => directory[Symbol.dispose]());

  it('passes on what it has printed, and says what Vault cannot limit', async () => {
    const report = await examine(env);
    expect(report.findings.filter(({ result }) => result !== 'pass')).toMatchObject([
      { check: 'vault.intermediate.limits', result: 'skip' },
    ]);
    expect(report).toMatchObject({ code: 0, result: 'pass', issuer: 'vault', mode: 'intermediate' });
    const signed = report.findings.find(({ check }) => check === 'vault.sign-intermediate');
    expect(signed?.seen).toMatch(/path length 0, for [45]m/);
  });

  it('names each path that is taken out of the policy', async () => {
    for (const named of ['auth/token/lookup-self', 'sys/capabilities-self']) {
      await setPolicy(policy.replace(`path "${named}"`, 'path "other"'));
      expect([named, concerned(await examine(env))]).toEqual([named, [`policy ${named}`]]);
    }
    await setPolicy(policy.replace(`path "${path}"`, 'path "other"'));
    const report = await examine(env);
    expect(concerned(report)).toEqual([`policy ${path}`]);
    expect(report.code).toBe(1);
    await setPolicy(policy);
  });

  it.each<[string, RegExp, string, readonly string[]]>([
    ['CAs below it', /"max_path_length" = .*/, 'max_path_length', ['path-length']],
    ['other names', /"permitted_dns_domains" = .*/, 'permitted_dns_domains', ['foreign']],
    ['a year', /"ttl" = .*/, 'ttl', ['year']],
  ])('fails where the policy lets an intermediate have %s', async (_, line, parameter, checks) => {
    await setPolicy(policy.replace(line, `"${parameter}" = []`));
    const report = await examine(env);
    const failed = report.findings.filter(({ result }) => result === 'fail');
    expect(failed.map(({ check }) => check)).toEqual(checks.map((each) => `vault.no-intermediate-${each}`));
    expect(concerned(report)).toEqual([`policy ${path} ${parameter}`]);
    expect(failed[0]?.remedy).toContain(`"${parameter}" in required_parameters`);
    expect(report.code).toBe(1);
    await setPolicy(policy);
  });

  it('fails in all of it where the policy has the path alone', async () => {
    const bare = policy.replace(/^path "pki\/root[^]*?^}$/m, `path "${path}" { capabilities = ["update"] }`);
    await setPolicy(bare);
    const report = await examine(env);
    const failed = report.findings.filter(({ result }) => result === 'fail').map(({ check }) => check);
    expect(failed).toEqual(
      ['path-length', 'unconstrained', 'foreign', 'csr-values', 'year'].map(
        (each) => `vault.no-intermediate-${each}`,
      ),
    );
    await setPolicy(policy);
  });

  it('says that a parameter of our own is not allowed', async () => {
    await setPolicy(policy.replace(/"max_path_length" = .*/, '"max_path_length" = ["7"]'));
    const report = await examine(env);
    expect(concerned(report)).toEqual([`policy ${path}`]);
    expect(report.findings.find(({ check }) => check === 'vault.sign-intermediate')?.remedy).toContain(
      'allowed_parameters',
    );
    await setPolicy(policy);
  });

  it('has nothing signed that it should not with a token of whoever runs it, whose policy is another', async () => {
    const report = await examine({ ...env, VAULT_TOKEN: server.rootToken }, '--own-token');
    expect(concerned(report)).toEqual(['auth token_policies']);
    const forbidden = report.findings.filter(({ check }) => check.startsWith('vault.no-intermediate'));
    expect(new Set(forbidden.map(({ result }) => result))).toEqual(new Set(['skip']));
  });

  it('passes with an issuer by name', async () => {
    const named = { ...env, KEDGE_VAULT_PKI_ISSUER: 'default' };
    const { text } = await doctor(named, '--print');
    expect(text).toContain('path "pki/issuer/default/sign-intermediate" {');
    await apply(text, server, directory);
    expect(concerned(await examine(named))).toEqual([]);
    await setPolicy(policy);
  });
});
