import { rmSync } from 'node:fs';
import path from 'node:path';
import { ctr } from './containerd.ts';
import type { StateDirectory } from '../state-directory.ts';
import { nodeDirectory } from './node-directory.ts';
import { buildKedgeImage } from './kedge-image.ts';

/**
 * Makes an image known to the node of a cluster: that of an archive (OCI or Docker), or Kedge's own, built anew from the
 * work tree, for the name `kedge`. Pods have to say `imagePullPolicy: Never` or `IfNotPresent`.
 */
export async function loadImage(state: StateDirectory, archiveOrName: string): Promise<void> {
  const directory = nodeDirectory(state);
  if (archiveOrName !== 'kedge') {
    await ctr(directory, ['images', 'import', path.resolve(archiveOrName)]);
    return;
  }
  const archive = path.join(directory, 'kedge.tar');
  try {
    await buildKedgeImage(archive);
    await ctr(directory, ['images', 'import', archive]);
  } finally {
    rmSync(archive, { force: true });
  }
}
