import { TestCluster } from './test-cluster.ts';
import type { TestClusterOptions } from './test-cluster.ts';
import { whatIsMissing } from './what-is-missing.ts';

/** Far longer than a start takes where nothing else runs. */
const startWithinMs = 180_000;

/**
 * A `describe` with a Kubernetes of its own, started before its tests and ended after them: an API server without nodes, or
 * with one where asked for.
 * Skipped, with the reason in its name, where its parts are not at hand; nothing is built here.
 */
export function onKubernetes(
  name: string,
  tests: (cluster: TestCluster) => void,
  options: TestClusterOptions = {},
): void {
  const cluster = new TestCluster(options);
  const missing = whatIsMissing(options.node);
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
