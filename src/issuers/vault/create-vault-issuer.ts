import type { TrustBundle } from '../../pki/trust-bundle.ts';
import type { WorkloadIdentity } from '../../pki/workload-identity.ts';
import type { Latest } from '../../runtime/latest.ts';
import type { Issuer } from '../issuer.ts';
import { issuerMetrics } from '../issuer-metrics.ts';
import { LocalIssuer } from '../local/local-issuer.ts';
import { logInToVault, type VaultConfig, type VaultNeeds } from './connect-vault.ts';
import { VaultIntermediate } from './vault-intermediate.ts';
import { VaultIssuer } from './vault-issuer.ts';

export interface VaultIssuerConfig extends VaultConfig {
  readonly issuerMode: 'direct' | 'intermediate' | undefined;
}

export interface VaultIssuerNeeds extends VaultNeeds {
  readonly anchors: Latest<TrustBundle | undefined>;
  readonly identity: WorkloadIdentity;
}

/** How often the intermediate is looked at: it may have ended, or an anchor above it. */
const intervalMs = 10_000;

/** The issuer for KEDGE_ISSUER "vault". It logs in by itself, and goes on trying. */
export async function createVaultIssuer(config: VaultIssuerConfig, needs: VaultIssuerNeeds): Promise<Issuer> {
  const { clock, log, signal, anchors, identity } = needs;
  const { client, paths, session } = await logInToVault(config, needs);
  if (config.issuerMode === 'intermediate') {
    const metrics = issuerMetrics(needs.metrics);
    const lifetimeMs = config.vaultIntermediateLifetime;
    const vetting = { anchors, identity, clock, log, metrics, intervalMs };
    const source = new VaultIntermediate({ ...vetting, client, session, paths, lifetimeMs });
    source.start(signal);
    return new LocalIssuer(source, clock);
  }
  const issuer = new VaultIssuer({
    client,
    session,
    paths,
    anchors,
    clock,
    log,
    timeoutMs: config.issuerTimeout,
  });
  issuer.start(signal);
  return issuer;
}
