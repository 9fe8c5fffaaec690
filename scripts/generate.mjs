// Makes src/rpc/gen from src/rpc/proto with the locked buf and ts-proto, offline.
// With --check it changes nothing and fails when what is committed is not what would be made.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const committed = join(root, 'src/rpc/gen');
// ts-proto's plugin is a script for `node`, which outside of npm may be another one or missing.
const env = { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` };

if (process.argv.includes('--check')) {
  const fresh = mkdtempSync(join(tmpdir(), 'kedge-gen-'));
  try {
    buf('lint');
    buf('generate', '--output', fresh);
    compare(join(fresh, 'src/rpc/gen'));
  } finally {
    rmSync(fresh, { recursive: true });
  }
} else {
  buf('generate');
}

function buf(...args) {
  execFileSync('buf', args, { cwd: root, env, stdio: 'inherit' });
}

function compare(fresh) {
  const names = new Set([...filesIn(committed), ...filesIn(fresh)]);
  const stale = [...names].filter((name) => read(committed, name) !== read(fresh, name)).sort();
  if (stale.length === 0) return;
  console.error(`not what src/rpc/proto gives, run \`npm run generate\`:\n${stale.join('\n')}`);
  process.exitCode = 1;
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.ts'));
}

function read(folder, name) {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch {
    return undefined;
  }
}
