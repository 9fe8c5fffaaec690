import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

const root = path.join(import.meta.dirname, '..', '..');
const files = new TemporaryDirectory();

/** The files of the build that hold code of a package, without what tells builds apart. */
function holders(name: string): string[] {
  return bundles()
    .filter((file) => readFileSync(files.file(`dist/${file}`), 'utf8').includes(`node_modules/${name}/`))
    .map((file) => file.replace(/-[A-Z0-9]{8}\.mjs$/, ''));
}

function bundles(): string[] {
  return readdirSync(files.file('dist')).filter((file) => file.endsWith('.mjs'));
}

beforeAll(() => {
  for (const part of ['src', 'node_modules', 'package.json']) {
    symlinkSync(path.join(root, part), files.file(part));
  }
  mkdirSync(files.file('dist'));
  files.write({ 'dist/identity-chunk-OLD.mjs': '' });
  execFileSync(process.execPath, [path.join(root, 'scripts', 'build.mjs')], { cwd: files.file('.') });
}, 60_000);

afterAll(() => files[Symbol.dispose]());

describe('scripts/build.mjs', () => {
  it('makes of the proxy one file', () => {
    expect(bundles().filter((file) => file.startsWith('proxy'))).toEqual(['proxy.mjs']);
  });

  it('leaves nothing of a build before', () => {
    expect(bundles()).not.toContain('identity-chunk-OLD.mjs');
  });

  it.each([
    [
      '@kubernetes/client-node',
      [
        'destination-kubeconfig-credentials',
        'identity-kubeconfig-credentials',
        'kedge-kubeconfig-credentials',
      ],
    ],
    ['yaml', ['destination-file-sources']],
    ['ajv', ['destination-file-sources']],
  ])('keeps %s where it is read only by a process that wants it', (name, expected) => {
    expect(holders(name)).toEqual(expected);
  });
});
