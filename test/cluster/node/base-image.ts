import { createHash } from 'node:crypto';
import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';
import { buildah, buildInStore, withBuildDirectory } from './build-image.ts';
import { run } from './run.ts';

const suite = 'bookworm';
const packages = ['libatomic1', 'libstdc++6', 'ca-certificates'];

/** What an image of Debian has that no process reads. */
const superfluous = [
  'usr/share/doc',
  'usr/share/locale',
  'usr/share/man',
  'var/cache/apt',
  'var/lib/apt/lists',
];

/**
 * The name of an image in buildah's store that stands for the public base: Debian with the Node that this runs on. It is
 * made once (a minute; from Debian's mirror, with debootstrap) and again when what goes in changes.
 */
export async function baseImage(): Promise<string> {
  const recipe = [suite, ...packages, process.version, process.arch].join();
  const name = `localhost/kedge-base:${createHash('sha256').update(recipe).digest('hex').slice(0, 12)}`;
  const there = await buildah(['images', '--all', '--format', '{{.Name}}:{{.Tag}}']);
  if (!there.split('\n').includes(name)) await makeBase(name);
  return name;
}

function makeBase(name: string): Promise<void> {
  return withBuildDirectory({ Containerfile: 'FROM scratch\nCOPY root /\n' }, async (context) => {
    const root = path.join(context, 'root');
    await run(['debootstrap', '--variant=minbase', `--include=${packages.join()}`, suite, root]);
    for (const each of superfluous) rmSync(path.join(root, each), { recursive: true, force: true });
    cpSync(process.execPath, path.join(root, 'usr', 'local', 'bin', 'node'));
    await buildInStore({ name, context });
  });
}
