import { etcdProgram } from './control-plane-commands.ts';
import { hasKubernetes } from './binaries/kubernetes.ts';
import { chosenVersion } from './binaries/versions.ts';
import { Missing } from './missing.ts';
import { TestCluster } from './test-cluster.ts';
import type { TestClusterOptions } from './test-cluster.ts';

/** Far longer than a start takes where nothing else runs. */
const startWithinMs = 180_000;

/**
 * A `describe` with a Kubernetes of its own: an API server without nodes, started before its tests and ended after them.
 * Skipped, with the reason in its name, where its parts are not at hand; nothing is built here.
 */
export function onKubernetes(
  name: string,
  tests: (cluster: TestCluster) => void,
  options: TestClusterOptions = {},
): void {
  const cluster = new TestCluster(options);
  const missing = whatIsMissing();
  if (missing !== undefined) {
    describe.skip(`${name} (skipped: ${missing})`, () => tests(cluster));
    return;
  }
  describe(name, () => {
    beforeAll(() => cluster.start(), startWithinMs);
    afterAll(() => cluster.end(), startWithinMs);
    tests(cluster);
  });
}

function whatIsMissing(): string | undefined {
  const version = chosenVersion();
  if (!hasKubernetes(version, 'api-only')) {
    return `needs Kubernetes ${version}: npm run cluster -- build --api-only --version ${version}`;
  }
  try {
    etcdProgram();
    return undefined;
  } catch (error) {
    if (error instanceof Missing) return error.message;
    throw error;
  }
}
