import { goClient, isBuilt } from './binaries/go-build.ts';
import { etcdProgram } from './control-plane-commands.ts';
import { Missing } from './missing.ts';
import { requireNode } from './node/requirements.ts';
import { buildsFor } from './start-cluster.ts';
import type { ClusterWish } from './start-cluster.ts';

/** What this machine lacks for a cluster, a line for each; empty when it can be started, or built and started. */
export function lacking(wish: ClusterWish): string[] {
  const checks = [() => goFor(wish), etcdProgram, ...(wish.node ? [requireNode] : [])];
  return checks.flatMap((check) => {
    try {
      check();
      return [];
    } catch (error) {
      if (error instanceof Missing) return [error.message];
      throw error;
    }
  });
}

/** Go is needed for what is not built yet. */
function goFor(wish: ClusterWish): void {
  if (!buildsFor(wish).every(isBuilt)) goClient();
}
