import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { executable, findProgram, Missing } from '../missing.ts';
import { isRunning, thisProcess } from '../process-record.ts';
import type { ProcessRecord } from '../process-record.ts';
import { withLock } from './build-lock.ts';
import type { BuildProgress } from './progress.ts';

/** Programs to be had from Go modules, and the folder that keeps them under their names. */
export interface GoBuild {
  readonly directory: string;
  /** For people: `Kubernetes 1.34.2`. */
  readonly title: string;
  /** The package of each program, built in this order. */
  readonly programs: Readonly<Record<string, string>>;
  readonly linkerFlags: readonly string[];
  /**
   * The text of a go.mod that has the packages, `go` runs the Go client and gives what it printed; or the version of their
   * module where that can be built as it is published.
   */
  readonly module: string | ((go: (...args: string[]) => Promise<string>) => Promise<string>);
}

/** Kinder to whatever else the machine does: minutes of both processors are asked for. */
const niceness = 10;

/** Whether every one of these programs is built. */
export function isBuilt({ directory, programs }: Pick<GoBuild, 'directory' | 'programs'>): boolean {
  return Object.keys(programs).every((name) => executable(path.join(directory, name)));
}

/**
 * Builds with the ordinary Go client what is not yet there. Each program appears whole or not at all; a second builder
 * waits for the first. Throws `Missing` where there is no Go, an Error with the client's own words when it fails.
 */
export async function buildGo(build: GoBuild, progress: BuildProgress): Promise<void> {
  if (isBuilt(build)) return;
  const go = goClient();
  const waiting = (pid: number): void =>
    progress.line(`${build.title}: process ${pid} is building it, waiting`);
  await withLock(build.directory, waiting, async () => {
    if (isBuilt(build)) return;
    removeLeftovers(build.directory);
    const { pid, started } = thisProcess();
    const work = mkdtempSync(path.join(build.directory, `building-${pid}-${started}-`));
    try {
      await buildIn(work, go, build, progress);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
}

async function buildIn(work: string, go: string, build: GoBuild, progress: BuildProgress): Promise<void> {
  const { module, programs, title } = build;
  const run = (...args: string[]): Promise<string> => runGo(go, args, work, () => progress.step());
  if (typeof module !== 'string') {
    progress.begin(`${title}: finding its modules`);
    writeModule(work, await module(run), Object.values(programs));
    await run('mod', 'tidy');
    progress.end();
  }
  const flags = ['-v', '-ldflags', build.linkerFlags.join(' ')];
  for (const [name, source] of Object.entries(programs)) {
    const target = path.join(build.directory, name);
    if (executable(target)) continue;
    progress.begin(`${title}: building ${name}`);
    if (typeof module === 'string') await run('install', ...flags, `${source}@${module}`);
    else await run('build', ...flags, '-o', path.join(work, name), source);
    renameSync(path.join(work, name), target);
    progress.end();
  }
}

/** A module that needs the programs, so that tidying it finds what they need. */
function writeModule(work: string, text: string, programs: readonly string[]): void {
  writeFileSync(path.join(work, 'go.mod'), text);
  mkdirSync(path.join(work, 'programs'));
  const imports = programs.map((name) => `import _ "${name}"\n`);
  writeFileSync(
    path.join(work, 'programs', 'programs.go'),
    `//go:build programs\n\npackage programs\n\n${imports.join('')}`,
  );
}

/** Directories of builders that were killed. */
function removeLeftovers(directory: string): void {
  for (const name of readdirSync(directory)) {
    const [, pid, started = ''] = /^building-(\d+)-(\d*)-/.exec(name) ?? [];
    if (pid === undefined) continue;
    const builder: ProcessRecord = { pid: Number(pid), started };
    // What the builder had started may write a moment longer.
    if (!isRunning(builder))
      rmSync(path.join(directory, name), { recursive: true, force: true, maxRetries: 10 });
  }
}

/** The Go client; throws `Missing`. */
export function goClient(): string {
  const go = findProgram('go', ['/usr/local/go/bin']);
  if (go !== undefined) return go;
  throw new Missing(
    'needs go, 1.24 or later, to build Kubernetes: install it from https://go.dev/dl into /usr/local/go',
  );
}

/** Runs the Go client niced in `cwd`, where it also installs; `seen` is called for each line that it says. */
function runGo(go: string, args: string[], cwd: string, seen: () => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(go, args, {
      cwd,
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off', GOBIN: cwd },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (child.pid !== undefined) setPriority(child.pid, niceness);
    let output = '';
    const tail: string[] = [];
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    createInterface(child.stderr).on('line', (line) => {
      seen();
      tail.push(line);
      if (tail.length > 20) tail.shift();
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else
        reject(
          new Error(
            `expected go ${args[0] ?? ''} to succeed, it ended with ${code ?? 'a signal'}:\n${tail.join('\n')}`,
          ),
        );
    });
  });
}
