import type { Cluster, ClusterNeeds, IdentityConfig } from '../../../../src/identity/cluster/cluster.ts';
import { seedBundleUntilDone } from '../../../../src/identity/cluster/seed-bundle.ts';
import { identityChecks, identitySettings } from '../../../../src/identity/settings.ts';
import { checkIssuerConfig } from '../../../../src/issuers/create-issuer.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { readEnvironment } from '../../../../src/runtime/env.ts';
import type { TestCluster } from '../../../cluster/test-cluster.ts';
import { LogCapture } from '../../../support/log-capture.ts';

export interface Seeding {
  readonly env: Readonly<Record<string, string>>;
  /** The ConfigMap, in the namespace `kedge`. */
  readonly bundle: string;
  readonly mount: string;
}

/** Does what a replica of identity does that was given no trust anchors; gives what it has said of itself. */
export async function seedBundle(cluster: TestCluster, { env, bundle, mount }: Seeding): Promise<string[]> {
  const given = {
    ...env,
    KEDGE_ISSUER: 'vault',
    KEDGE_VAULT_PKI_MOUNT: mount,
    KEDGE_TRUST_BUNDLE_CONFIG_MAP: bundle,
    KEDGE_TOKEN_VERIFIER: 'token-review',
  };
  const config: IdentityConfig = readEnvironment(
    identitySettings,
    given,
    ...identityChecks,
    checkIssuerConfig,
  );
  const told: string[] = [];
  const health = { degraded: (_part: string, reason: string | undefined) => told.push(reason ?? 'well') };
  const { signal } = new AbortController();
  const needs = { clock: systemClock, log: new LogCapture(), health, signal } as unknown as ClusterNeeds;
  await seedBundleUntilDone(config, { client: await cluster.client() } as unknown as Cluster, needs);
  return told;
}
