import { bundleHolder } from '../../issuers/own-ca/ca-objects.ts';
import { settleObject } from '../../issuers/own-ca/settle-object.ts';
import { readVaultAnchor } from '../../issuers/vault/vault-anchor.ts';
import { vaultRetryPolicy } from '../vault-anchors.ts';
import type { Cluster, ClusterNeeds, IdentityConfig } from './cluster.ts';
import { untilDone } from './until-done.ts';

/** Puts the trust anchor that Vault shows into the ConfigMap of the trust bundle where that holds none; from then on, that one rules. */
export async function seedBundleUntilDone(
  config: IdentityConfig,
  { client }: Cluster,
  needs: ClusterNeeds,
): Promise<void> {
  const { controlNamespace: namespace, trustBundleConfigMap: bundle = '' } = config;
  const holder = bundleHolder({ namespace, bundle });
  await untilDone(
    {
      part: 'vault-anchor',
      failed: 'no trust anchor could be taken from Vault',
      policy: vaultRetryPolicy,
    },
    (signal) => settleObject(client, holder, () => readVaultAnchor(config, needs, signal), signal),
    needs,
  );
}
