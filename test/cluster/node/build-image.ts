import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cacheDirectory } from '../binaries/cache-directory.ts';
import { run } from './run.ts';

export interface ImagePlan {
  /** With its registry, as containerd names images. */
  readonly name: string;
  /** The directory whose `Containerfile` or `Dockerfile` says what goes in. */
  readonly context: string;
  /** Build arguments. */
  readonly args?: Readonly<Record<string, string>>;
}

/** Runs buildah with a store of its own in the cache; it needs no daemon. */
export function buildah(args: readonly string[]): Promise<string> {
  const store = cacheDirectory('images', 'store');
  return run(['buildah', '--storage-driver', 'vfs', '--root', store, '--runroot', `${store}-run`, ...args]);
}

/** Builds an image into buildah's own store and gives its id. */
export async function buildInStore({ name, context, args = {} }: ImagePlan): Promise<string> {
  const given = Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
  const printed = await buildah([
    'bud',
    '--quiet',
    '--isolation',
    'chroot',
    '--tag',
    name,
    ...given,
    context,
  ]);
  return printed.trim();
}

/** Builds an image and writes it as an archive that a containerd imports under the same name; keeps nothing else. */
export async function buildImage(plan: ImagePlan, archive: string): Promise<void> {
  const id = await buildInStore(plan);
  const half = `${archive}.${process.pid}`;
  mkdirSync(path.dirname(archive), { recursive: true });
  try {
    // Packing and unpacking would take longer than anything else here.
    await buildah(['push', '--quiet', '--disable-compression', id, `oci-archive:${half}:${plan.name}`]);
    renameSync(half, archive);
  } finally {
    rmSync(half, { force: true });
    await buildah(['rmi', '--force', id]);
  }
}

/** Gives a directory with the named files to `use`, and removes it afterwards. */
export async function withBuildDirectory(
  files: Readonly<Record<string, string>>,
  use: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), 'kedge-image-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(path.join(directory, name), content);
    await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
