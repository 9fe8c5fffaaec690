import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { cacheDirectory } from '../binaries/cache-directory.ts';
import { baseImage } from './base-image.ts';
import { buildImage } from './build-image.ts';
import { run } from './run.ts';

/** The image of Kedge, as containerd names it; a pod may say `kedge:local`. */
export const kedgeImage = 'docker.io/library/kedge:local';

const root = path.join(import.meta.dirname, '..', '..', '..');
const directory = cacheDirectory('images');

/** All that goes into the bundles, and what makes an image of them. */
const inputs = ['src/**/*.*', 'scripts/build.mjs', 'package-lock.json', 'Dockerfile', 'LICENSE'];

/** Far longer than anyone takes to load an archive. */
const keptMs = 3_600_000;

/**
 * The archive of the image of this tree, made of the bundles by the Dockerfile that users have. It is built unless the same
 * files were built before.
 */
export async function kedgeImageArchive(): Promise<string> {
  const BASE = await baseImage();
  const made = fingerprint(BASE);
  const archive = path.join(directory, `kedge-${made}.tar`);
  if (existsSync(archive)) return archive;
  forgetOld();
  const own = `${archive}.of-${process.pid}`;
  await run([process.execPath, path.join('scripts', 'build.mjs')], { cwd: root });
  await buildImage({ name: kedgeImage, context: root, args: { BASE } }, own);
  // Somebody may have written meanwhile: then it is the image of no tree that others could have.
  if (fingerprint(BASE) !== made) return own;
  renameSync(own, archive);
  return archive;
}

function fingerprint(base: string): string {
  const hash = createHash('sha256').update(base);
  for (const file of globSync(inputs, { cwd: root }).toSorted()) {
    hash.update(`\0${file}\0`).update(readFileSync(path.join(root, file)));
  }
  return hash.digest('hex').slice(0, 12);
}

function forgetOld(): void {
  for (const name of globSync('kedge-*.tar*', { cwd: directory })) {
    const file = path.join(directory, name);
    const { mtimeMs } = statSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
    if (mtimeMs < Date.now() - keptMs) rmSync(file, { force: true });
  }
}
