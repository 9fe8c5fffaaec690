import { mkdtempSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isRunning, thisProcess } from './process-record.ts';
import type { ProcessRecord } from './process-record.ts';
import { StateDirectory } from './state-directory.ts';
import { stopCluster } from './stop-cluster.ts';

const prefix = 'kedge-kubernetes-';
const ownerFile = 'owner';
/** How old a directory that names no owner must be to be nobody's: one is named right after it is made. */
const unownedMs = 60_000;

/** A state directory that ends with this process: whoever makes the next one removes it. */
export function createOwnedState(parent = tmpdir()): StateDirectory {
  const state = StateDirectory.at(mkdtempSync(path.join(parent, prefix)));
  state.create();
  state.writeJson(thisProcess(), ownerFile);
  return state;
}

/** Ends and removes the clusters of tests whose own process is gone. */
export async function removeOrphans(parent = tmpdir()): Promise<void> {
  const candidates = readdirSync(parent)
    .filter((name) => name.startsWith(prefix))
    .map((name) => path.join(parent, name));
  for (const directory of candidates) {
    const state = StateDirectory.at(directory);
    if (isOrphan(state)) await stopCluster(state);
  }
}

function isOrphan(state: StateDirectory): boolean {
  const stat = statSync(state.path, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true || stat.uid !== process.getuid?.()) return false;
  const owner = state.readJson(ownerFile) as ProcessRecord | undefined;
  return owner === undefined ? stat.mtimeMs < Date.now() - unownedMs : !isRunning(owner);
}
