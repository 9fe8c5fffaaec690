import { stopNode } from './node/stop-node.ts';
import type { StateDirectory } from './state-directory.ts';

/**
 * Ends a cluster at once and removes everything that it has left on the machine. Needs nothing but its directory, so it works
 * as well after a crash and for what was never whole.
 */
export async function stopCluster(state: StateDirectory): Promise<void> {
  await stopNode(state);
  await state.remove();
}
