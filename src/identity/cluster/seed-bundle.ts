import { bundleHolder } from '../../issuers/own-ca/ca-objects.ts';
import { settleObject } from '../../issuers/own-ca/settle-object.ts';
import { readVaultAnchor } from '../../issuers/vault/vault-anchor.ts';
import { retry } from '../../runtime/backoff.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { vaultRetryPolicy } from '../vault-anchors.ts';
import type { Cluster, ClusterNeeds, IdentityConfig } from './cluster.ts';

/** Puts the trust anchor that Vault shows into the ConfigMap of the trust bundle where that holds none; from then on, that one rules. */
export async function seedBundleUntilDone(
  config: IdentityConfig,
  { client }: Cluster,
  { clock, log, health, signal }: ClusterNeeds,
): Promise<void> {
  const { controlNamespace: namespace, trustBundleConfigMap: bundle = '' } = config;
  const holder = bundleHolder({ namespace, bundle });
  let told: string | undefined;
  await retry(
    (either) => settleObject(client, holder, () => readVaultAnchor(config, { clock, log }, either), either),
    {
      policy: vaultRetryPolicy,
      clock,
      signal,
      onFailure: (error) => {
        const reason = errorMessage(error);
        if (reason === told) return;
        told = reason;
        health.degraded('vault-anchor', reason);
        log.error({ reason }, 'no trust anchor could be taken from Vault');
      },
    },
  );
  health.degraded('vault-anchor', undefined);
}
