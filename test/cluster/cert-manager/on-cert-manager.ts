import { isBuilt } from '../binaries/go-build.ts';
import { onKubernetes } from '../on-kubernetes.ts';
import type { TestCluster } from '../test-cluster.ts';
import { certManagerBuild } from './cert-manager-build.ts';
import { CertManager } from './cert-manager.ts';
import type { CertManagerOptions } from './cert-manager.ts';

/** Far longer than a start takes where nothing else runs. */
const startWithinMs = 120_000;

/** Why tests have no cert-manager on this machine, with how to change that, in one line; undefined when they have one. */
export function certManagerMissing(): string | undefined {
  if (isBuilt(certManagerBuild)) return undefined;
  return `needs ${certManagerBuild.title}: npm run cluster -- build --api-only`;
}

/** What a test of cert-manager runs on; `certManager` is there from the first test on. */
export interface CertManagerRig {
  readonly cluster: TestCluster;
  readonly certManager: CertManager;
}

/**
 * A `describe` with a Kubernetes of its own, without nodes, and a cert-manager beside it, started before its tests and ended
 * after them. Skipped, with the reason in its name, where either is not built.
 */
export function onCertManager(
  name: string,
  tests: (rig: CertManagerRig) => void,
  options: CertManagerOptions = {},
): void {
  const missing = certManagerMissing();
  if (missing !== undefined) {
    describe.skip(`${name} (skipped: ${missing})`, () => tests(rigOf()));
    return;
  }
  onKubernetes(name, (cluster) => {
    let started: CertManager | undefined;
    beforeAll(async () => {
      started = await CertManager.start(cluster, options);
    }, startWithinMs);
    tests(rigOf(cluster, () => started));
  });
}

function rigOf(
  cluster?: TestCluster,
  certManager: () => CertManager | undefined = () => undefined,
): CertManagerRig {
  const there = <T>(value: T | undefined): T => {
    if (value === undefined) throw new TypeError('expected a cert-manager that was started');
    return value;
  };
  return {
    get cluster() {
      return there(cluster);
    },
    get certManager() {
      return there(certManager());
    },
  };
}
