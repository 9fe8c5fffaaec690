import path from 'node:path';
import type { StateDirectory } from '../state-directory.ts';
import { ctr } from './containerd.ts';
import { kedgeImageArchive } from './kedge-image.ts';
import { nodeDirectory } from './node-directory.ts';

/**
 * Makes an image known to the node of a cluster: that of an archive (OCI or Docker), or Kedge's own, of the work tree as it
 * is, for the name `kedge`. Pods have to say `imagePullPolicy: Never` or `IfNotPresent`.
 */
export async function loadImage(state: StateDirectory, archiveOrName: string): Promise<void> {
  const archive = archiveOrName === 'kedge' ? await kedgeImageArchive() : path.resolve(archiveOrName);
  await ctr(nodeDirectory(state), ['images', 'import', archive]);
}
