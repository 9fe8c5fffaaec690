import type { TrustBundle } from '../../pki/trust-bundle.ts';
import type { WorkloadIdentity } from '../../pki/workload-identity.ts';
import type { Latest } from '../../runtime/latest.ts';
import type { Issuer } from '../issuer.ts';
import { logInToVault, type VaultConfig, type VaultNeeds } from './connect-vault.ts';
import { VaultIssuer } from './vault-issuer.ts';

export interface VaultIssuerConfig extends VaultConfig {
  readonly issuerMode: 'direct' | 'intermediate' | undefined;
}

export interface VaultIssuerNeeds extends VaultNeeds {
  readonly anchors: Latest<TrustBundle | undefined>;
  readonly identity: WorkloadIdentity;
}

/** The issuer for KEDGE_ISSUER "vault". It logs in by itself, and goes on trying. */
export async function createVaultIssuer(config: VaultIssuerConfig, needs: VaultIssuerNeeds): Promise<Issuer> {
  const { clock, log, signal, anchors } = needs;
  const { client, paths, session } = await logInToVault(config, needs);
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
