import path from 'node:path';
import { baseImage } from './base-image.ts';
import { buildImage } from './build-image.ts';
import { run } from './run.ts';

/** The image of Kedge, as containerd names it; a pod may say `kedge:local`. */
export const kedgeImage = 'docker.io/library/kedge:local';

const root = path.join(import.meta.dirname, '..', '..', '..');

/** Builds the bundles and, from the Dockerfile that users have, the image; written as an archive. */
export async function buildKedgeImage(archive: string): Promise<void> {
  await run([process.execPath, path.join('scripts', 'build.mjs')], { cwd: root });
  await buildImage({ name: kedgeImage, context: root, args: { BASE: await baseImage() } }, archive);
}
