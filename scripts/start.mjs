// The first thing `npm run demo`, `npm test` and `npm run kedge` start. It runs on the system's Node (20 or newer), brings
// node_modules up to date with the lock file, and then hands its arguments to the Node that the project is locked to.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const lockedPackage = path.join(root, 'node_modules', 'node');
const lockedNode = path.join(lockedPackage, 'bin', 'node');
const stamp = path.join(root, 'node_modules', '.kedge-installed');

function say(text) {
  process.stderr.write(`kedge: ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}

/** npm names its own script to the scripts it runs, so the npm that was typed is the npm that is run here. */
function npm(args, output) {
  const own = process.env.npm_execpath;
  const [command, first] = own ? [process.execPath, [own]] : ['npm', []];
  return spawnSync(command, [...first, ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', output, 'inherit'],
  });
}

/** Installs when the lock file differs from the one that the present node_modules was made from. */
function install() {
  const lock = createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');
  const why = reasonToInstall(lock);
  if (why === undefined) return;
  say(`${why}: running npm ci (once; about 500 MB)`);
  rmSync(stamp, { force: true });
  const started = Date.now();
  const run = npm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], 'inherit');
  if (run.status !== 0) {
    fail('npm ci failed (its own words are above). Mend that and run the same command again.');
  }
  writeFileSync(stamp, lock);
  say(`installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

function reasonToInstall(lock) {
  if (!existsSync(stamp)) return 'nothing is installed yet';
  if (readFileSync(stamp, 'utf8') !== lock) return 'the lock file has changed';
  // npm prune --omit=dev and the like take packages away and leave the stamp.
  return existsSync(lockedPackage) ? undefined : 'the package `node` is missing';
}

/** What stands between this machine and the locked Node, and the one command that helps; undefined if it runs. */
function obstacle() {
  const platform = `${process.platform}-${process.arch}`;
  if (!existsSync(lockedNode)) {
    const ignores = npm(['config', 'get', 'ignore-scripts'], 'pipe');
    if (ignores.stdout?.trim() === 'true') {
      return 'npm is told to ignore install scripts (ignore-scripts=true), so the package `node` could not fetch its program. Run: npm rebuild node --ignore-scripts=false';
    }
    return `the package \`node\` holds no program for ${platform}: an unsupported platform (it has Linux with glibc and macOS, on x64 and arm64). Run Kedge on one of those, for example: docker run -it -v "$PWD":/kedge -w /kedge node:26 npm run demo`;
  }
  const run = spawnSync(lockedNode, ['--version'], { encoding: 'utf8' });
  if (run.status === 0) return undefined;
  const words = `${run.error?.message ?? ''}${run.stderr ?? ''}`.trim();
  if (words.includes('libatomic')) {
    return 'Node 26 needs the library libatomic.so.1, which this machine lacks. Run: apt-get install -y libatomic1 (Fedora, RHEL: dnf install -y libatomic)';
  }
  return `the locked Node does not run on this machine (${platform}), an unsupported platform: ${words}. It wants Linux with glibc 2.28 or newer, or macOS; for example: docker run -it -v "$PWD":/kedge -w /kedge node:26 npm run demo`;
}

/** Runs the locked Node in the foreground; its exit is this script's exit. */
function handOver(args) {
  const child = spawn(lockedNode, args, {
    stdio: 'inherit',
    // The directory of the locked Node comes first, so a `node` that a test or the demo starts is the same one.
    env: { ...process.env, PATH: `${path.dirname(lockedNode)}${path.delimiter}${process.env.PATH ?? ''}` },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // A terminal's Ctrl-C reaches the child by itself; only a signal sent to this process alone is passed on.
      if (signal !== 'SIGINT') child.kill(signal);
    });
  }
  child.on('error', (error) => fail(`could not start ${lockedNode}: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal) process.kill(process.pid, signal);
    process.exitCode = code ?? 1;
  });
}

if (Number(process.versions.node.split('.')[0]) < 20) {
  fail(
    `expected Node 20 or newer to start from, got ${process.version}: install a supported Node.js release`,
  );
}
install();
const trouble = obstacle();
if (trouble) fail(trouble);
handOver(process.argv.slice(2));
