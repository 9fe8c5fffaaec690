import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const script = path.join(import.meta.dirname, '..', '..', 'scripts', 'start.mjs');

/** A project folder with an npm and a locked Node that are shell scripts, so that every way they fail can be played. */
class Project {
  readonly root = mkdtempSync(path.join(tmpdir(), 'kedge-start-'));
  readonly #npm = path.join(this.root, 'npm.cjs');

  constructor() {
    mkdirSync(this.path('scripts'));
    copyFileSync(script, this.path('scripts/start.mjs'));
    writeFileSync(path.join(this.root, 'package-lock.json'), '{"lockfileVersion":3}');
    this.npm('process.exit(1)');
  }

  npm(body: string): void {
    writeFileSync(
      this.#npm,
      `require('fs').appendFileSync(${JSON.stringify(this.path('npm-calls'))}, process.argv.slice(2).join(' ') + '\\n');${body}`,
    );
  }

  lockedNode(text: string): void {
    mkdirSync(this.path('node_modules/node/bin'), { recursive: true });
    writeFileSync(this.path('node_modules/node/bin/node'), `#!/bin/sh\n${text}\n`);
    chmodSync(this.path('node_modules/node/bin/node'), 0o755);
  }

  /** As npm leaves it when it ran no install script: with the package, without its program. */
  markInstalled(): void {
    mkdirSync(this.path('node_modules/node'), { recursive: true });
    const lock = createHash('sha256')
      .update(readFileSync(this.path('package-lock.json')))
      .digest('hex');
    writeFileSync(this.path('node_modules/.kedge-installed'), lock);
  }

  path(name: string): string {
    return path.join(this.root, name);
  }

  get npmCalls(): string {
    return existsSync(this.path('npm-calls')) ? readFileSync(this.path('npm-calls'), 'utf8') : '';
  }

  start(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    const env = { PATH: '/usr/bin:/bin', npm_execpath: this.#npm };
    const run = spawnSync(process.execPath, [this.path('scripts/start.mjs'), ...args], {
      cwd: this.root,
      env,
      encoding: 'utf8',
    });
    return { status: run.status, stdout: run.stdout, stderr: run.stderr };
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

describe('scripts/start.mjs', () => {
  it('hands its arguments to the locked Node and ends with its exit code', () => {
    using project = new Project();
    project.markInstalled();
    project.lockedNode('echo "got $*"; [ "$1" = --version ] || exit 7');
    const run = project.start('src/x.ts', 'demo', '--keep');
    expect(run.stdout).toBe('got src/x.ts demo --keep\n');
    expect(run.status).toBe(7);
    expect(project.npmCalls).toBe('');
  });

  it('installs first when nothing is installed, says so, and does not install again', () => {
    using project = new Project();
    project.lockedNode('exit 0');
    project.npm('process.exit(0)');
    expect(project.start('x').stderr).toContain('nothing is installed yet: running npm ci');
    expect(project.start('x').stderr).toBe('');
    expect(project.npmCalls).toBe('ci --include=dev --no-audit --no-fund --loglevel=error\n');
  });

  it('installs again when the lock file has changed', () => {
    using project = new Project();
    project.markInstalled();
    project.lockedNode('exit 0');
    project.npm('process.exit(0)');
    writeFileSync(project.path('package-lock.json'), '{"lockfileVersion":3,"packages":{}}');
    expect(project.start('x').stderr).toContain('the lock file has changed: running npm ci');
  });

  it('installs again when the package of the locked Node was taken away', () => {
    using project = new Project();
    project.markInstalled();
    rmSync(project.path('node_modules/node'), { recursive: true });
    expect(project.start('x').stderr).toContain('the package `node` is missing: running npm ci');
  });

  it('stops when the installation fails, and tries it again the next time', () => {
    using project = new Project();
    project.lockedNode('echo never');
    const run = project.start('x');
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('npm ci failed');
    expect(run.stdout).toBe('');
    project.npm('process.exit(0)');
    expect(project.start('x').stdout).toBe('never\n');
  });

  it('names the package that brings a missing libatomic', () => {
    using project = new Project();
    project.markInstalled();
    project.lockedNode(
      'echo "error while loading shared libraries: libatomic.so.1: cannot open" >&2; exit 127',
    );
    const run = project.start('x');
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('apt-get install -y libatomic1');
  });

  it('says that install scripts are ignored when the locked Node was never fetched', () => {
    using project = new Project();
    project.markInstalled();
    project.npm("if (process.argv[2] === 'config') console.log('true')");
    const run = project.start('x');
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('npm rebuild node --ignore-scripts=false');
  });

  it('says that the platform is unsupported when the package has no program for it', () => {
    using project = new Project();
    project.markInstalled();
    project.npm("if (process.argv[2] === 'config') console.log('false')");
    expect(project.start('x').stderr).toContain(
      `no program for ${process.platform}-${process.arch}: an unsupported platform`,
    );
  });

  it('says that the platform is unsupported when the locked Node cannot run', () => {
    using project = new Project();
    project.markInstalled();
    project.lockedNode('echo "version GLIBC_2.28 not found" >&2; exit 1');
    expect(project.start('x').stderr).toContain('an unsupported platform: version GLIBC_2.28 not found');
  });
});
