import { bootstrapCa } from '../../issuers/own-ca/bootstrap-ca.ts';
import type { CaPlaces } from '../../issuers/own-ca/ca-objects.ts';
import { IssuerRenewal } from '../../issuers/own-ca/issuer-renewal.ts';
import type { Issuer } from '../../issuers/issuer.ts';
import type { TrustBundle } from '../../pki/trust-bundle.ts';
import type { MeshDomain, WorkloadIdentity } from '../../pki/workload-identity.ts';
import type { Latest } from '../../runtime/latest.ts';
import type { Cluster, ClusterNeeds, IdentityConfig } from './cluster.ts';
import { untilDone } from './until-done.ts';

/** While something is missing that an operator has to bring, or the API server is away. */
const retryPolicy = { minMs: 2_000, maxMs: 30_000 };

/** Makes what is missing of the CA; tries until it is there, and says why it is not. */
export async function bootstrapUntilDone(
  config: IdentityConfig,
  mesh: MeshDomain,
  { client }: Cluster,
  needs: ClusterNeeds,
): Promise<void> {
  const { issuerAnchorLifetime: anchorLifetimeMs, issuerLifetime: issuerLifetimeMs } = config;
  const { clock, log } = needs;
  const options = { client, places: caPlaces(config), mesh, anchorLifetimeMs, issuerLifetimeMs, clock, log };
  await untilDone(
    { part: 'ca-bootstrap', failed: 'the CA of the mesh could not be made', policy: retryPolicy },
    (signal) => bootstrapCa(options, signal),
    needs,
  );
}

export interface RenewedIssuer {
  readonly issuer: Issuer;
  readonly anchors: Latest<TrustBundle | undefined>;
  readonly mesh: MeshDomain;
  readonly self: WorkloadIdentity;
}

/** Renews the issuer in its Secret until the signal is aborted, and says when that is due and cannot be done. */
export async function keepRenewed(
  config: IdentityConfig,
  { issuer, anchors, mesh, self: identity }: RenewedIssuer,
  { client, recorder, service: regarding }: Cluster,
  { clock, log, health, signal }: ClusterNeeds,
): Promise<void> {
  const options = { client, places: caPlaces(config), mesh, lifetimeMs: config.issuerLifetime };
  const { state } = issuer;
  const renewal = new IssuerRenewal({ ...options, state, anchors, identity, clock, log });
  renewal.problem.subscribe((note) => {
    health.degraded('issuer-renewal', note);
    if (note !== undefined) {
      recorder.record({ regarding, type: 'Warning', reason: 'IssuerNotRenewed', action: 'Renew', note });
    }
  });
  await renewal.run(signal);
}

function caPlaces(config: IdentityConfig): CaPlaces {
  return {
    namespace: config.controlNamespace,
    issuer: config.issuerLocalSecret ?? '',
    anchor: config.issuerAnchorSecret,
    bundle: config.trustBundleConfigMap ?? '',
  };
}
