import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { RunRecord } from './run-record.ts';
import { searchRun } from './search-run.ts';

const watchChild = path.join(import.meta.dirname, 'watch-child.ts');
const main = path.join(import.meta.dirname, 'main.ts');

/** Starts a program that this run does not watch, for what leaks here is meant to. */
const unwatched = '/usr/bin/env';

/** Runs a program as tests do whose run is kept in the directory. */
function run(directory: TemporaryDirectory, program: string): void {
  const hook = `${new URL(`file://${watchChild}`).href}?run=${directory.path}`;
  const words = [process.execPath, '--import', hook, '--input-type=module', '-e', program];
  const ran = spawnSync(unwatched, words, { encoding: 'utf8' });
  expect(ran.status).toBe(0);
}

const key = `
  import { generateKeyPairSync } from 'node:crypto';
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
`;

describe('the search of a run', () => {
  let directory: TemporaryDirectory;
  beforeEach(() => {
    directory = new TemporaryDirectory();
  });
  afterEach(() => directory[Symbol.dispose]());

  it('finds nothing where nothing was put out, and says in how much it looked', () => {
    run(directory, `${key} console.log('made a key', pem.length);`);
    const { secrets, bytes, leaks } = searchRun(directory.path);
    expect({ secrets, leaks }).toEqual({ secrets: 1, leaks: [] });
    expect(bytes).toBeGreaterThan(10);
  });

  it.each([
    ['the output', `console.log({ pem });`],
    ['the error output', `process.stderr.write(pem.slice(60));`],
    ['the log', `import { writeSync } from 'node:fs'; writeSync(1, pem.replaceAll('\\n', '\\\\n'));`],
    [
      'a process that it started',
      `import { spawnSync } from 'node:child_process';
       spawnSync(process.execPath, ['-e', 'console.log(process.env.KEY)'], { env: { KEY: pem } });`,
    ],
    [
      'the metrics that it serves',
      `import { createServer } from 'node:http';
       const text = { 'Content-Type': 'text/plain; version=0.0.4' };
       const server = createServer((_, answer) => answer.writeHead(200, text).end('x{key="' + pem + '"} 1'));
       server.listen(0, '127.0.0.1', () => fetch('http://127.0.0.1:' + server.address().port)
         .then((answer) => answer.text()).then(() => server.close()));`,
    ],
  ])('finds a private key in %s', (_, leak) => {
    run(directory, `${key} ${leak}`);
    expect(searchRun(directory.path).leaks.map(({ what }) => what)).toContain('a private key');
  });

  it('finds what builders have noted, and what no token and request is without', () => {
    const record = new RunRecord(directory.path);
    record.secret('a secret id', 'b7f0c1d2-3e4f-5061-7283-94a5b6c7d8e9');
    record.output('{"id":"b7f0c1d2-3e4f-5061-7283-94a5b6c7d8e9"}');
    record.output(`Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.${'x'.repeat(43)}`);
    record.output(`-----BEGIN CERTIFICATE REQUEST-----\n${'M'.repeat(64)}`);
    record.output(`X-Vault-Token: s.${'a1B2'.repeat(6)}`);
    expect(searchRun(directory.path).leaks.map(({ what }) => what)).toEqual([
      'a secret id',
      'a signing request in PEM',
      'a signed token',
      'a token of Vault',
    ]);
  });

  it('lets a test say a secret in the words of somebody else, and nobody repeat it', () => {
    const record = new RunRecord(directory.path);
    const [token, said] = ['a-token-of-some-length', 'somebody else said "a-token-of-some-length"'];
    record.secret('a token', token);
    record.scripted(said);
    for (const text of ['before', said, said, 'behind']) record.output(text);
    expect(searchRun(directory.path).leaks).toEqual([]);
    record.output(`expected a certificate, got an error: ${said}`);
    expect(searchRun(directory.path).leaks).toHaveLength(1);
  });

  it('fails the run as a command, without showing what leaked', () => {
    run(directory, `${key} console.log({ pem });`);
    const search = (): ReturnType<typeof spawnSync> =>
      spawnSync(unwatched, [process.execPath, main, directory.path], { encoding: 'utf8' });
    expect(search()).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('<a private key>') as string,
    });
    expect(search().stdout).toMatch(/1 secrets in .* MB of output: found \d times\n$/);
    for (const name of readdirSync(directory.path)) directory.write({ [name]: undefined });
    expect(search()).toMatchObject({ status: 1, stdout: '0 secrets in 0.0 MB of output: none found\n' });
  });
});
