import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { Writable } from 'node:stream';
import { run } from '../../../src/cli/run.ts';
import { openBao, vault } from '../../issuers/vault/support/vault-programs.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { AnyAnswer } from './any-answer.ts';
import { DevServer } from './dev-server.ts';

/** What a command wrote, to either stream. */
async function kedge(...args: string[]): Promise<{ code: number; text: string }> {
  let text = '';
  const stdout = new Writable({
    write: (part: Buffer, _, done) => {
      text += part.toString();
      done();
    },
  });
  return { code: await run(args, { stdout, stderr: stdout }), text };
}

for (const { title, path: program, missing } of [openBao, vault]) {
  const on = missing === undefined ? describe : describe.skip;
  on(`a development server of ${missing === undefined ? title : `${title} (skipped: ${missing})`}`, () => {
    let server: DevServer;
    beforeAll(async () => {
      server = await DevServer.start(program);
    }, 120_000);
    afterAll(() => server[Symbol.asyncDispose]());

    const setUp = async (directory: string, ...more: string[]): Promise<string> => {
      const { address, tokenFile } = server;
      const where = ['--address', address, '--token-file', tokenFile];
      const { code, text } = await kedge('dev-vault', directory, ...where, ...more);
      expect([code, text]).toEqual([0, expect.stringContaining('signs for a mesh now')]);
      return `${directory}/identity.env`;
    };

    it.each([
      ['direct', ['web.shop.serviceaccount.identity.kedge.cluster.local', 'CN=Kedge development root']],
      [
        'intermediate',
        [
          'web.shop.serviceaccount.identity.kedge.cluster.local',
          'CN=identity.cluster.local',
          'CN=Kedge development root',
        ],
      ],
    ])(
      'gives a signed certificate in mode %s, also when the other mode is set up after it',
      async (mode, chain) => {
        using directory = new TemporaryDirectory();
        const settings = await setUp(directory.file('dev'), '--mode', mode);
        await setUp(directory.file('other'), '--mode', mode === 'direct' ? 'intermediate' : 'direct');
        const { code, text } = await kedge('certify', settings, '--output', 'json');
        expect([code, text]).toEqual([0, expect.stringMatching(/^\{/)]);
        const { certificates, verification } = JSON.parse(text) as {
          certificates: { dnsNames: string[]; uris: string[]; remainingSeconds: number }[];
          verification: object;
        };
        expect(verification).toEqual({ state: 'verified', path: chain });
        expect(certificates[0]).toMatchObject({
          dnsNames: [chain[0]],
          uris: ['spiffe://cluster.local/ns/shop/sa/web'],
        });
        expect(certificates[0]?.remainingSeconds).toBeGreaterThan(23.9 * 3600);
      },
    );

    it('writes settings that a shell takes as they are, whatever the directory is called', async () => {
      using directory = new TemporaryDirectory();
      const odd = directory.file('a "b" $(touch injected) `touch injected` \\ $HOME');
      const settings = await setUp(odd);
      const script = '. "$1"; printf %s "$KEDGE_TRUST_ANCHORS_FILE"';
      const seen = execFileSync('/bin/sh', ['-ceu', script, 'sh', settings], { cwd: directory.path });
      expect(seen.toString()).toBe(path.join(odd, 'trust-anchors.crt'));
      expect(readdirSync(directory.path)).toEqual([path.basename(odd)]);
      expect((await kedge('certify', settings)).code).toBe(0);
    });

    it('gives a CA to an engine that a run before made and could not fill', async () => {
      using directory = new TemporaryDirectory();
      const headers = { 'X-Vault-Token': readFileSync(server.tokenFile, 'utf8').trim() };
      const mount = `${server.address}/v1/sys/mounts/kedge-dev`;
      await fetch(mount, { method: 'DELETE', headers });
      await fetch(mount, { method: 'POST', headers, body: JSON.stringify({ type: 'pki' }) });
      const settings = await setUp(directory.file('dev'));
      expect((await kedge('certify', settings)).code).toBe(0);
      await fetch(mount, { method: 'DELETE', headers });
      await fetch(mount, { method: 'POST', headers, body: JSON.stringify({ type: 'kv' }) });
      const { address, tokenFile } = server;
      const where = ['--address', address, '--token-file', tokenFile];
      const { code, text } = await kedge('dev-vault', directory.file('dev'), ...where);
      expect([code, text]).toEqual([1, expect.stringContaining('expected a PKI mount')]);
      await fetch(mount, { method: 'DELETE', headers });
    });

    it('keeps its CA when it is set up again, and gives a token that can do nothing but that', async () => {
      using directory = new TemporaryDirectory();
      const [first, second] = [directory.file('first'), directory.file('second')];
      await setUp(first);
      await setUp(second);
      const file = (of: string, name: string): string => readFileSync(`${of}/${name}`, 'utf8');
      expect(file(second, 'trust-anchors.crt')).toBe(file(first, 'trust-anchors.crt'));
      expect(statSync(`${second}/token`).mode & 0o777).toBe(0o600);
      const headers = { 'X-Vault-Token': file(second, 'token').trim() };
      for (const other of [
        'sys/mounts',
        'kedge-dev/roles',
        'kedge-dev/config/urls',
        'sys/policies/acl/kedge-dev-direct',
      ]) {
        expect((await fetch(`${server.address}/v1/${other}`, { headers })).status).toBe(403);
      }
      const root = readFileSync(server.tokenFile, 'utf8').trim();
      for (const name of ['token', 'identity.env']) expect(file(second, name)).not.toContain(root);
    });
  });
}

describe('kedge dev-vault and kedge certify', () => {
  it('say what is missing', async () => {
    using directory = new TemporaryDirectory();
    const noToken = await kedge('dev-vault', directory.file('dev'), '--token-file', directory.file('none'));
    expect([noToken.code, noToken.text]).toEqual([
      1,
      expect.stringContaining(
        'none: expected the root token of the server, found no file: write it into one and name that with --token-file',
      ),
    ]);
    const quote = await kedge('dev-vault', directory.file("it's"), '--token-file', directory.file('none'));
    expect([quote.code, quote.text]).toEqual([1, expect.stringContaining('without single quotes')]);
    directory.write({ 'identity.env': 'KEDGE_ISSUER=vault' });
    const noAnchors = await kedge('certify', directory.file('identity.env'));
    expect([noAnchors.code, noAnchors.text]).toEqual([
      1,
      expect.stringContaining(
        'expected settings of the identity service with KEDGE_TRUST_ANCHORS_FILE, got 1 without',
      ),
    ]);
  });

  it('makes no token for a directory that cannot be', async () => {
    using directory = new TemporaryDirectory();
    await using server = await AnyAnswer.start(204);
    const where = ['--address', server.address, '--token-file', directory.file('root')];
    directory.write({ root: 'token\n', file: '' });
    for (const [given, words] of [
      ['/proc/x', 'expected to write /proc/x, got ENOENT'],
      [directory.file('file/below'), 'file/below, got ENOTDIR'],
      [directory.file('file'), 'file: expected a directory, got a file'],
    ] as const) {
      const { code, text } = await kedge('dev-vault', given, ...where);
      expect([code, text]).toEqual([1, expect.stringContaining(words)]);
    }
    expect(server.asked).toEqual([]);
  });

  it.each(['two\nlines\n', 'umlaut-ä', 'a word', ''])('refuse %j as a token', async (content) => {
    using directory = new TemporaryDirectory();
    directory.write({ root: content });
    const { code, text } = await kedge(
      'dev-vault',
      directory.file('dev'),
      '--token-file',
      directory.file('root'),
    );
    const words =
      'root: expected one line with the root token of the server, got something that cannot be one';
    expect([code, text]).toEqual([1, expect.stringContaining(words)]);
  });

  it('say whose token was not taken', async () => {
    using directory = new TemporaryDirectory();
    await using server = await AnyAnswer.start(403);
    directory.write({ root: 'stale\n' });
    const where = ['--address', server.address, '--token-file', directory.file('root')];
    const { code, text } = await kedge('dev-vault', directory.file('dev'), ...where);
    const words = `expected ${directory.file('root')} to hold the root token of ${server.address}, got another one: name the right file with --token-file`;
    expect([code, text]).toEqual([1, expect.stringContaining(words)]);
  });

  it('say that a server does not speak TLS', async () => {
    using directory = new TemporaryDirectory();
    await using server = await AnyAnswer.start(204);
    directory.write({ root: 'token\n' });
    const address = server.address.replace('http:', 'https:');
    const where = ['--address', address, '--token-file', directory.file('root')];
    const { code, text } = await kedge('dev-vault', directory.file('dev'), ...where);
    const words = `expected ${address} to speak TLS, got an answer without it; is its address http://`;
    expect([code, text]).toEqual([1, expect.stringContaining(words)]);
  });
});
