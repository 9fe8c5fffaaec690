import { once } from 'node:events';
import fs from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import tls from 'node:tls';
import { run } from '../../src/cli/run.ts';
import { version } from '../../src/cli/version.ts';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import { MeshDomain } from '../../src/pki/workload-identity.ts';
import { TestCa } from '../support/test-ca.ts';

interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

/** One command line, run in this process. */
async function kedge(...args: string[]): Promise<Run> {
  const output = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr'): Writable =>
    new Writable({
      write: (text: Buffer, _, done) => {
        output[name] += text.toString();
        done();
      },
    });
  const code = await run(args, { stdout: sink('stdout'), stderr: sink('stderr') });
  return { code, ...output };
}

describe('the kedge command', () => {
  const directory = fs.mkdtempSync(path.join(tmpdir(), 'kedge-cli-'));
  const file = (name: string): string => path.join(directory, name);
  const ca = TestCa.create({ commonName: 'root' });
  const identity = new MeshDomain('kedge', 'cluster.local').identity('shop', 'api');
  const leaf = ca.intermediate({ commonName: 'issuer' }).leaf({ identity });
  const chainPem = leaf.chain.map(({ pem }) => pem).join('');
  const key = encodePrivateKey(leaf.key);

  beforeAll(() => {
    fs.writeFileSync(file('chain.pem'), key + chainPem);
    fs.writeFileSync(file('anchors.pem'), ca.bundle.pem);
    fs.writeFileSync(file('others.pem'), TestCa.create().bundle.pem);
  });
  afterAll(() => fs.rmSync(directory, { recursive: true }));

  it('tells its version', async () => {
    expect(await kedge('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('ends with 0 when help is asked for, and tells the exit codes of each command', async () => {
    const runs = await Promise.all(
      [['--help'], ['demo', '--help'], ['bootstrap', '-h'], ['identity', '-h']].map((args) => kedge(...args)),
    );
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    for (const { stdout } of runs.slice(1)) expect(stdout).toContain('Exit codes: 0 ');
  });

  it.each([
    [[], 'Usage: kedge [options] [command]'],
    [['bootstrp', 'x'], 'Did you mean bootstrap?'],
    [['bootstrap'], "missing required argument 'dir'"],
    [['bootstrap', 'a', 'b'], 'too many arguments'],
    [['bootstrap', ''], 'Expected a directory, got an empty word.'],
    [['identity', ''], 'Expected a file or host:port, got an empty word.'],
    [['bootstrap', 'x', '--issuer-lifetime', '3w'], 'such as 10y, 90d or 24h'],
    [['bootstrap', 'x', '--anchor-lifetime', '0s'], 'such as 10y, 90d or 24h'],
    [['bootstrap', 'x', '--anchor-lifetime', '1001y'], 'Expected a duration up to 1000y'],
    [['bootstrap', 'x', '--trust-domain', 'A.b'], 'Expected a DNS name in lower case'],
    [['bootstrap', 'x', '--control-namespace', 'a.b'], 'Expected the name of a namespace'],
    [['identity', 'x', '-o', 'yaml'], 'Allowed choices are text, json'],
    [['identity', 'x', '--name', 'api.'], 'Expected the DNS name of an identity'],
    [['identity', 'x', '--name', '10.0.0.7'], 'Expected the DNS name of an identity'],
    [['identity', 'x', '--timeout', '-1s'], 'Expected a duration such as 5s'],
    [['identity', 'x', '--nmae', 'y'], "unknown option '--nmae'"],
  ])('ends with 64 and says what is wrong: kedge %j', async (args, message) => {
    const ran = await kedge(...args);
    expect(ran).toMatchObject({ code: 64, stdout: '' });
    expect(ran.stderr).toContain(message);
    if (args.length > 0) expect(ran.stderr).toMatch(/^kedge: /);
  });

  it('makes a CA, shows what it made, and changes nothing the second time', async () => {
    const first = await kedge('bootstrap', file('ca'), '--trust-domain', 'example.org');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain(`${file('ca')}: made 6 of 6 files\n`);
    expect(first.stdout).toMatch(/issuer\/tls\.crt +made +CN=identity\.kedge\.example\.org +20/);
    expect(first.stdout).toContain(`Take ${file('ca/anchor/tls.key')} offline`);
    const next = `  kedge identity ${file('ca/issuer/tls.crt')} --anchors ${file('ca/ca-bundle.crt')}`;
    expect(first.stdout).toContain(next);
    const second = await kedge('bootstrap', file('ca'), '--trust-domain', 'example.org');
    expect(second.stdout).toContain(`${file('ca')}: nothing changed`);
    const checked = await kedge(...next.trim().split(' ').slice(1));
    expect(checked.code).toBe(0);
    expect(checked.stdout).toContain('verifies  yes\n');
  });

  it('gives what bootstrap made as JSON', async () => {
    const ran = await kedge('bootstrap', file('json-ca'), '-o', 'json');
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
    const date = expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/) as string;
    const made = (name: string, subject: string): object => ({
      file: name,
      state: 'made',
      holds: name === 'ca-bundle.crt' ? 'trust bundle' : 'certificate',
      subject,
      notAfter: date,
      sha256: hash,
    });
    const [anchor, issuer] = ['CN=root.kedge.cluster.local', 'CN=identity.kedge.cluster.local'];
    expect(JSON.parse(ran.stdout)).toEqual({
      directory: file('json-ca'),
      changed: true,
      files: [
        made('ca-bundle.crt', anchor),
        made('anchor/tls.crt', anchor),
        { file: 'anchor/tls.key', state: 'made', holds: 'private key' },
        made('issuer/tls.crt', issuer),
        { file: 'issuer/tls.key', state: 'made', holds: 'private key' },
        made('issuer/ca.crt', anchor),
      ],
      notes: [`Take ${file('json-ca/anchor/tls.key')} offline: nothing but a new issuer needs it.`],
      next: [
        `kedge identity ${file('json-ca/issuer/tls.crt')} --anchors ${file('json-ca/ca-bundle.crt')}`,
        `export KEDGE_TRUST_ANCHORS_FILE=${file('json-ca/ca-bundle.crt')}`,
        `export KEDGE_ISSUER_LOCAL_DIR=${file('json-ca/issuer')}`,
      ],
    });
  });

  it('ends with 1 when bootstrap refuses, as text and as JSON', async () => {
    const refused = ['bootstrap', file('ca'), '--anchor-cert', file('others.pem')];
    const text = await kedge(...refused);
    expect(text).toMatchObject({ code: 1, stdout: '' });
    expect(text.stderr).toBe(
      `kedge: ${file('ca/anchor/tls.crt')}: expected the certificate that was given, got another one\n`,
    );
    const json = await kedge(...refused, '-o', 'json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toEqual({
      error: { code: 'bootstrap_conflict', message: text.stderr.slice('kedge: '.length, -1) },
    });
  });

  it('shows the chain of a file as a table, and nothing of the key beside it', async () => {
    const ran = await kedge('identity', file('chain.pem'));
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toContain(
      `names      DNS ${identity.dnsName}\n             URI ${identity.spiffeId}\n`,
    );
    expect(ran.stdout).toMatch(/remaining {2}59m\d+s\n/);
    expect(ran.stdout).toContain(`sha256     ${leaf.certificate.fingerprint}\n`);
    expect(ran.stdout).toContain('CA certificate, 2 of 2\n  subject    CN=issuer\n');
    expect(ran.stdout).toContain('verifies  not checked');
    expect(ran.stdout).not.toContain(key.split('\n')[1]);
    expect(ran.stdout).not.toContain('\u001b');
  });

  it('ends with 0 or 1 as the chain verifies or not', async () => {
    const [good, bad] = await Promise.all([
      kedge('identity', file('chain.pem'), '--anchors', file('anchors.pem'), '-o', 'json'),
      kedge('identity', file('chain.pem'), '--anchors', file('others.pem'), '-o', 'json'),
    ]);
    expect(good.code).toBe(0);
    const { remainingSeconds } = (JSON.parse(good.stdout) as { certificates: { remainingSeconds: number }[] })
      .certificates[0]!;
    expect(remainingSeconds).toBeLessThanOrEqual(3600);
    expect(JSON.parse(good.stdout)).toMatchObject({
      target: file('chain.pem'),
      anchorsFile: file('anchors.pem'),
      certificates: [
        {
          subject: '',
          dnsNames: [identity.dnsName],
          uris: [identity.spiffeId],
          issuer: 'CN=issuer',
          isCa: false,
          key: 'EC P-256',
          notBefore: leaf.certificate.notBefore.toISOString(),
          notAfter: leaf.certificate.notAfter.toISOString(),
          serial: leaf.certificate.serial,
          sha256: leaf.certificate.fingerprint,
        },
        { subject: 'CN=issuer', isCa: true },
      ],
      verification: { state: 'verified', path: [identity.dnsName, 'CN=issuer', 'CN=root'] },
    });
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.stdout)).toMatchObject({
      verification: { state: 'failed', code: 'chain_untrusted' },
    });
  });

  it('shows and judges the chain of a running server by its name', async () => {
    const names: string[] = [];
    const server = tls.createServer({
      key,
      cert: chainPem,
      SNICallback: (name, done) => {
        names.push(name);
        done(null);
      },
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const check = (name: string): Promise<Run> =>
      kedge('identity', target, '--name', name, '--anchors', file('anchors.pem'));
    try {
      const good = await check(identity.dnsName);
      expect(good).toMatchObject({ code: 0, stderr: '' });
      expect(good.stdout).toMatch(/^127\.0\.0\.1:\d+: 2 certificates over TLSv1\.3, X25519\w*, TLS_AES_/);
      expect(good.stdout).toContain('verifies  yes\n');
      const bad = await check(`x.${identity.dnsName}`);
      expect(bad.code).toBe(1);
      expect(bad.stdout).toContain(
        `no: expected the DNS name x.${identity.dnsName}, got ${identity.dnsName}`,
      );
      expect(names).toEqual([identity.dnsName, `x.${identity.dnsName}`]);
    } finally {
      server.close();
    }
  });

  it('ends with 1 when there is nothing to show, and says why', async () => {
    const missing = await kedge('identity', file('missing.pem'), '-o', 'json');
    expect(missing).toMatchObject({
      code: 1,
      stderr: `kedge: ${file('missing.pem')}: expected a file, found none\n`,
    });
    expect(JSON.parse(missing.stdout)).toMatchObject({ error: { code: 'file_not_found' } });
    const refused = await kedge('identity', '127.0.0.1:1');
    expect(refused).toEqual({
      code: 1,
      stdout: '',
      stderr: 'kedge: expected something to listen on 127.0.0.1:1, got connection refused\n',
    });
  });
});
