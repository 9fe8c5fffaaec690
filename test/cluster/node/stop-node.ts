import { existsSync, rmSync } from 'node:fs';
import type { StateDirectory } from '../state-directory.ts';
import { endInhabitants } from './inhabitants.ts';
import { mountsBelow, unmountBelow } from './mounts.ts';
import { tracesOf } from './traces.ts';

/**
 * Ends everything in a cluster's network and removes what its node has left on the machine. Needs nothing but the cluster's
 * directory, so it works as well after a crash, and it does nothing where there is no node.
 */
export async function stopNode(state: StateDirectory): Promise<void> {
  const directory = state.file('node');
  if (!existsSync(directory)) return;
  const namespaces = mountsBelow(directory).filter(({ type }) => type === 'nsfs');
  await endInhabitants(namespaces.map(({ point }) => point));
  const traces = tracesOf(directory);
  await unmountBelow(directory);
  for (const trace of traces) trace.remove();
  rmSync(directory, { recursive: true, force: true });
}
