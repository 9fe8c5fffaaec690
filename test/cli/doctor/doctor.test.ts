import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { renderDoctor } from '../../../src/cli/doctor/render.ts';
import type { DoctorReport } from '../../../src/cli/doctor/report.ts';
import type { Paint } from '../../../src/cli/table.ts';
import { encodePrivateKey } from '../../../src/pki/keys.ts';
import { eventually } from '../../support/eventually.ts';
import { concerned, doctor, examine } from '../../support/kedge-doctor.ts';
import { SecretWatch } from '../../support/secret-watch.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { TestCa } from '../../support/test-ca.ts';

const plain: Paint = {
  good: (text) => text,
  bad: (text) => text,
  dim: (text) => text,
  strong: (text) => text,
};

const report: DoctorReport = {
  issuer: 'vault',
  mode: 'direct',
  identity: 'kedge-identity.kedge.serviceaccount.identity.kedge.cluster.local',
  result: 'fail',
  counts: { pass: 1, fail: 1, warn: 0, skip: 1 },
  findings: [
    { check: 'vault.reach', title: 'Vault answers', result: 'pass', seen: 'version 1.0\u001b[2J' },
    {
      check: 'vault.sign',
      title: 'signs our name, as Kedge’s proxy asks',
      result: 'fail',
      seen: `refused: ${'a long reason '.repeat(12)}`,
      concerns: 'role key_type',
      remedy: `vault patch pki/roles/kedge ${'x'.repeat(90)} key_type=ec`,
    },
    { check: 'vault.no-ca', title: 'does not sign a CA', result: 'skip', seen: 'it cannot be told' },
  ],
};

describe('the report of kedge doctor issuer', () => {
  it('lines up, wraps what is long, and has a remedy for what did not pass', () => {
    const lines = renderDoctor(report, plain).split('\n');
    const [, , header = ''] = lines;
    expect(header).toMatch(/^RESULT {2}CHECK {2,}SEEN$/);
    const seenAt = header.indexOf('SEEN');
    expect(lines[3]?.slice(seenAt)).toBe('version 1.0\\u{1b}[2J');
    expect(lines[4]?.slice(seenAt)).toMatch(/^refused: a long reason/);
    expect(lines[5]).toMatch(new RegExp(`^ {${seenAt}}\\S`));
    expect(lines.filter((line) => line.startsWith('fail  signs our name'))).toEqual([
      'fail  signs our name, as Kedge’s proxy asks (role key_type)',
    ]);
    // To be copied, it is not cut.
    expect(lines).toContain(`  vault patch pki/roles/kedge ${'x'.repeat(90)} key_type=ec`);
    expect(lines.at(-2)).toBe('1 passed, 1 failed, 0 to be seen to, 1 skipped');
  });

  it('has colours where it is read on a terminal', () => {
    const marked: Paint = { ...plain, good: (text) => `<${text}>`, bad: (text) => `[${text}]` };
    const text = renderDoctor(report, marked);
    expect(text).toContain('<pass>');
    expect(text).toContain('[fail]');
  });
});

describe('kedge doctor issuer', () => {
  const directory = new TemporaryDirectory();
  const root = TestCa.create();
  const ca = root.intermediate();
  afterAll(() => directory[Symbol.dispose]());

  const put = (pair: TestCa, anchor = root): Readonly<Record<string, string>> => {
    const certificates = [pair.certificate, ...pair.chain].map(({ pem }) => pem).join('');
    directory.write({
      'tls.crt': certificates,
      'tls.key': encodePrivateKey(pair.key),
      'anchors.pem': anchor.anchor.pem,
    });
    return {
      KEDGE_ISSUER_LOCAL_DIR: directory.path,
      KEDGE_TRUST_ANCHORS_FILE: directory.file('anchors.pem'),
    };
  };

  it('passes on a CA of the mesh’s own, and tells nothing of its key', async () => {
    const watch = new SecretWatch();
    watch.privateKey(ca.key);
    const env = put(ca);
    const { code, text } = await doctor(env);
    watch.output(() => text);
    expect([code, watch.leaks()]).toEqual([0, []]);
    expect(text).toMatch(/^issuer local, asked for kedge-identity\.kedge\./);
    expect(await examine(env)).toMatchObject({
      result: 'pass',
      counts: { pass: 2, fail: 0, warn: 0, skip: 0 },
      findings: [
        { check: 'anchors', result: 'pass' },
        { check: 'ca.sign', result: 'pass' },
      ],
    });
  });

  it('ends with 2 where nothing failed, and something should be seen to', async () => {
    const ending = root.intermediate({
      notBefore: new Date(Date.now() - 9 * 3_600_000),
      notAfter: new Date(Date.now() + 600_000),
    });
    const found = await examine(put(ending));
    expect([found.code, found.result, concerned(found)]).toEqual([2, 'warn', ['ca']]);
  });

  it('ends with 1 where the CA leads to no anchor, or is not there', async () => {
    const strange = await examine(put(ca, TestCa.create()));
    expect([strange.code, concerned(strange)]).toEqual([1, ['ca']]);
    const none = await examine({ ...put(ca), KEDGE_ISSUER_LOCAL_DIR: directory.file('nothing') });
    expect(none.findings[1]).toMatchObject({
      result: 'fail',
      seen: expect.stringContaining('got neither') as string,
    });
  });

  it('ends with 64 for settings that are wrong, and names all of them', async () => {
    const wrong = { KEDGE_ISSUER: 'vaul', KEDGE_TRUST_DOMAIN: 'UPPER' };
    const { code, text } = await doctor(wrong);
    expect(code).toBe(64);
    expect(text).toMatch(/^kedge: KEDGE_TRUST_DOMAIN: expected .*\nKEDGE_ISSUER: expected .*\n$/);
    const json = await doctor({ ...wrong }, '-o', 'json');
    expect(json.code).toBe(64);
    expect(json.text).toContain('"code": "settings_invalid"');
    const none = await doctor({ KEDGE_ISSUER: 'cert-manager' });
    expect(none.text).toContain('KEDGE_TRUST_ANCHORS_FILE: expected either this or');
  });

  it.each<[string[], string]>([
    [['--set', 'KEDGE_ISSUER'], 'Expected NAME=VALUE'],
    [['--set', '=x'], 'Expected NAME=VALUE'],
    [['--set', 'KEDGE_NOTHING=1'], 'KEDGE_NOTHING: expected a setting of the identity service'],
    [['--unknown'], 'unknown option'],
    [['-o', 'xml'], 'Allowed choices are text, json'],
  ])('ends with 64 for %j', async (args, said) => {
    const { code, text } = await doctor(put(ca), ...args);
    expect(code).toBe(64);
    expect(text.toLowerCase()).toContain(said.toLowerCase());
  });

  it('takes settings from its arguments before those of the environment', async () => {
    const env = { ...put(ca), KEDGE_TRUST_DOMAIN: 'one.example' };
    const { identity } = await examine(env, '--set', 'KEDGE_TRUST_DOMAIN=two.example');
    expect(identity).toMatch(/\.two\.example$/);
  });

  it('has no token in its arguments, and says where it is looked for', async () => {
    const vault = { ...put(ca), KEDGE_ISSUER: 'vault', VAULT_TOKEN: 'two words' };
    const { code, text } = await doctor(vault, '--own-token');
    expect(code).toBe(1);
    expect(text).toContain('expected a token in VAULT_TOKEN or ~/.vault-token');
    expect(text).not.toContain('two words');
  });

  it('has nothing to print for a CA of the mesh’s own', async () => {
    const { code, text } = await doctor(put(ca), '--print');
    expect(code).toBe(1);
    expect(text).toContain('got "local", which asks nobody');
  });
});

describe('kedge doctor issuer, ended in its midst', () => {
  it('gives back the token that it logged in for, and says why there is no answer', async () => {
    using directory = new TemporaryDirectory();
    directory.write({ 'anchors.pem': TestCa.create().anchor.pem, 'role-id': 'role', 'secret-id': 'secret' });
    const answers: Readonly<Record<string, object>> = {
      'sys/health': { initialized: true, sealed: false, standby: false, version: '1.0.0' },
      'auth/approle/login': { auth: { client_token: 'hvs.given', lease_duration: 60, renewable: true } },
      'pki/issuer/default/json': {},
      'auth/token/revoke-self': {},
    };
    const asked: string[] = [];
    // What has no answer is left waiting.
    const server = createServer(({ url = '', headers }, response) => {
      const path = url.replace('/v1/', '').replace(/\?.*/, '');
      asked.push(`${path} ${String(headers['x-vault-token'] ?? '')}`.trim());
      const answer = answers[path];
      if (answer !== undefined)
        response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    });
    server.unref();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const program = spawn(process.execPath, ['src/cli/main.ts', 'doctor', 'issuer'], {
      env: {
        KEDGE_ISSUER: 'vault',
        KEDGE_VAULT_ADDR: `http://127.0.0.1:${port}`,
        KEDGE_VAULT_ALLOW_PLAINTEXT: 'true',
        KEDGE_VAULT_AUTH: 'approle',
        KEDGE_VAULT_ROLE_ID_FILE: directory.file('role-id'),
        KEDGE_VAULT_SECRET_ID_FILE: directory.file('secret-id'),
        KEDGE_TRUST_ANCHORS_FILE: directory.file('anchors.pem'),
        KEDGE_ISSUER_TIMEOUT: '60s',
      },
    });
    let text = '';
    for (const stream of [program.stdout, program.stderr])
      stream.on('data', (part: Buffer) => (text += part.toString()));
    try {
      await eventually(() => expect(asked.join()).toContain('hvs.given'));
      program.kill('SIGINT');
      const [code] = (await once(program, 'exit')) as [number];
      expect([code, text]).toEqual([1, expect.stringContaining('got a signal to end')]);
      expect(asked).toContain('auth/token/revoke-self hvs.given');
    } finally {
      program.kill('SIGKILL');
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('kedge doctor issuer --print', () => {
  const files = {
    KEDGE_VAULT_ROLE_ID_FILE: '/a',
    KEDGE_VAULT_SECRET_ID_FILE: '/b',
    KEDGE_VAULT_CLIENT_CERT_FILE: '/c',
    KEDGE_VAULT_CLIENT_KEY_FILE: '/d',
    KEDGE_VAULT_TOKEN_FILE: '/e',
  };
  const env = {
    ...files,
    KEDGE_ISSUER: 'vault',
    KEDGE_CONTROL_NAMESPACE: 'mesh',
    KEDGE_TRUST_DOMAIN: 'prod.example.org',
    KEDGE_SERVICE_ACCOUNT: 'issuer',
    KEDGE_VAULT_PKI_MOUNT: 'teams/mesh/pki',
    KEDGE_VAULT_PKI_ROLE: 'leaf',
    KEDGE_VAULT_AUTH_ROLE: 'mesh',
    KEDGE_ISSUANCE_LIFETIME: '8h',
  };

  it.each<[string, readonly string[]]>([
    [
      'kubernetes',
      [
        'write auth/kubernetes/role/mesh',
        "bound_service_account_names='issuer'",
        "bound_service_account_namespaces='mesh'",
      ],
    ],
    ['jwt', ['write auth/jwt/role/mesh', "bound_subject='system:serviceaccount:mesh:issuer'"]],
    ['approle', ['write auth/approle/role/mesh', 'auth/approle/role/mesh/secret-id > secret-id']],
    ['cert', ['write auth/cert/certs/mesh', "allowed_common_names='issuer'"]],
    ['token-file', ['token create -policy=mesh -no-default-policy']],
  ])('is a script that a shell takes, for a log-in by %s', async (method, expected) => {
    const { code, text } = await doctor({ ...env, KEDGE_VAULT_AUTH: method }, '--print');
    expect(code).toBe(0);
    execFileSync('/bin/sh', ['-n'], { input: text });
    for (const part of [
      ...expected,
      'path "teams/mesh/pki/sign/leaf" {\n  capabilities = ["update"]\n  allowed_parameters = {\n    "csr" = []\n',
      '"$vault" write teams/mesh/pki/roles/leaf',
      "allowed_domains='serviceaccount.identity.mesh.prod.example.org'",
      "allowed_uri_sans='spiffe://prod.example.org/ns/*/sa/*'",
      "max_ttl='8h'",
    ]) {
      expect(text).toContain(part);
    }
    if (method !== 'token-file') expect(text).toContain("token_policies='mesh'");
  });

  it('is a policy that holds an intermediate to its limits', async () => {
    const { text } = await doctor({ ...env, KEDGE_ISSUER_MODE: 'intermediate' }, '--print');
    expect(text).toContain('"max_path_length" = ["0"]');
    expect(text).toContain('"permitted_dns_domains" = ["prod.example.org"]');
    expect(text).toContain('"ttl" = ["604800s","300s"]');
    expect(text).not.toContain('/roles/leaf');
  });

  it('is for programs as well', async () => {
    const printed = async (more: object): Promise<unknown> => {
      const { text } = await doctor({ ...env, ...more }, '--print', '-o', 'json');
      return JSON.parse(text);
    };
    expect(await printed({})).toMatchObject({ issuer: 'vault', mode: 'direct', apply: 'sh' });
    expect(await printed({ KEDGE_ISSUER: 'cert-manager' })).toMatchObject({
      issuer: 'cert-manager',
      mode: 'intermediate',
      apply: 'kubectl apply -f -',
      text: expect.stringContaining('isCA: true') as string,
    });
  });
});
