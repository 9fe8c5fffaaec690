import type { SpawnSyncReturns } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { version } from '../../src/cli/version.ts';

const root = path.join(import.meta.dirname, '..', '..');
const main = path.join(root, 'src', 'cli', 'main.ts');

/** The command line as its owner runs it: a process of its own, with an empty environment unless told. */
function kedge(args: string[], env: Record<string, string> = {}): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', env });
}

describe('the kedge process', () => {
  const directory = fs.mkdtempSync(path.join(tmpdir(), 'kedge-main-'));
  const ca = path.join(directory, 'ca');
  afterAll(() => fs.rmSync(directory, { recursive: true }));

  it('ends with 0 when it did what was asked', () => {
    const ran = kedge(['bootstrap', ca]);
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran.stdout).toContain('made 6 of 6 files');
    expect(ran.stdout).not.toContain('\u001b');
  });

  it('ends with 1 when it could not, without a stack', () => {
    const missing = path.join(directory, 'missing');
    expect(kedge(['identity', missing])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: `kedge: ${missing}: expected a file, found none\n`,
    });
  });

  it('ends with 64 for wrong usage', () => {
    const ran = kedge(['bootstrap']);
    expect(ran).toMatchObject({ status: 64, stdout: '' });
    expect(ran.stderr).toMatch(/^kedge: missing required argument 'dir'\n/);
  });

  it('uses colour when it is told that the reader has it', () => {
    const ran = kedge(['identity', path.join(ca, 'ca-bundle.crt')], { FORCE_COLOR: '1' });
    expect(ran.stdout).toContain('\u001b[1mCA certificate\u001b[22m');
  });

  it('leaves no half-written file when it is stopped in the middle of writing', () => {
    const other = path.join(directory, 'stopped');
    // A file may not grow at all: the first write ends the process, as a full disk or a lost machine would.
    const stopped = spawnSync(
      '/bin/sh',
      ['-c', 'ulimit -f 0; exec "$@"', 'sh', process.execPath, main, 'bootstrap', other],
      {
        encoding: 'utf8',
      },
    );
    expect(stopped.status).not.toBe(0);
    const finished = fs.readdirSync(other, { recursive: true, encoding: 'utf8' });
    expect(finished.filter((name) => /(^|\/)[^./]+\.(crt|key)$/.test(name))).toEqual([]);
    expect(kedge(['bootstrap', other]).stdout).toContain('made 6 of 6 files');
  });

  it('starts from the command of the package, wherever that is called from', () => {
    // The shim hands over to the start script, here one that only tells what it was given.
    const scripts = path.join(directory, 'scripts');
    fs.mkdirSync(scripts);
    fs.copyFileSync(path.join(root, 'scripts', 'kedge.mjs'), path.join(scripts, 'kedge.mjs'));
    fs.writeFileSync(path.join(scripts, 'start.mjs'), 'console.log(JSON.stringify(process.argv.slice(2)))');
    const link = path.join(directory, 'kedge');
    fs.symlinkSync(path.join(scripts, 'kedge.mjs'), link);
    const ran = spawnSync(process.execPath, [link, 'identity', 'x'], { encoding: 'utf8', cwd: '/' });
    const entry = path.join(fs.realpathSync(directory), 'src', 'cli', 'main.ts');
    expect(JSON.parse(ran.stdout)).toEqual([entry, 'identity', 'x']);
  });

  it('does not mind a reader that has seen enough', async () => {
    const child = spawn(process.execPath, [main, 'identity', path.join(ca, 'ca-bundle.crt')]);
    // Before the command has written anything, so that its first write finds nobody.
    child.stdout.destroy();
    const [stderr, [code]] = await Promise.all([
      text(child.stderr),
      once(child, 'exit') as Promise<[number]>,
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('goes on to its end when its terminal is gone', () => {
    // As the stream tells it of a write to a terminal that was closed.
    const closed = `
      await import(process.argv[1]);
      process.stdout.emit('error', Object.assign(new Error('write EIO'), { code: 'EIO' }));
      process.stderr.write('at its end');`;
    const words = ['--input-type=module', '-e', closed, main, 'identity', path.join(ca, 'ca-bundle.crt')];
    const ran = spawnSync(process.execPath, words, { encoding: 'utf8', env: {} });
    expect(ran).toMatchObject({ status: 0, stderr: 'at its end' });
  });

  it('knows its version', () => {
    const manifest = fs.readFileSync(path.join(root, 'package.json'), 'utf8');
    expect(version).toBe((JSON.parse(manifest) as { version: string }).version);
  });
});
