import { checkIssuerConfig, createIssuer } from '../issuers/create-issuer.ts';
import { followIssuer } from '../issuers/issuer-health.ts';
import type { TrustBundle } from '../pki/trust-bundle.ts';
import { MeshDomain } from '../pki/workload-identity.ts';
import { serve } from '../rpc/server.ts';
import { adminServer } from '../runtime/admin-server.ts';
import { readEnvironment } from '../runtime/env.ts';
import { runProcess, type ProcessContext } from '../runtime/lifecycle.ts';
import { closeServer, listen } from '../runtime/listen.ts';
import { createLog } from '../runtime/log.ts';
import { Admission } from './admission.ts';
import { anchorsFile } from './anchors-file.ts';
import { Audit } from './audit.ts';
import { BundleCensus } from './bundle-census.ts';
import { certifier } from './certify.ts';
import type { IdentityConfig } from './cluster/cluster.ts';
import { Health } from './health.ts';
import { Holdings } from './holdings.ts';
import { identityMetrics } from './identity-metrics.ts';
import { certifyService } from './identity-service.ts';
import { showIssuerStatus } from './issuer-status.ts';
import type { Source } from './last-good.ts';
import { ServingCredentials } from './serving-credentials.ts';
import { identityChecks, identitySettings, needsCluster } from './settings.ts';
import { createJwksVerifier, createReviewVerifier } from './token/create-token-verifier.ts';
import { trustBundleService } from './trust-bundle-service.ts';

await runProcess('identity', async (context) => {
  const { env, log, logOutput, metrics, readiness, clock, signal } = context;
  const config = readEnvironment(identitySettings, env, ...identityChecks, checkIssuerConfig);
  log.setLevel(config.logLevel);
  context.setGracePeriod(config.shutdownGracePeriod);
  const domain = new MeshDomain(config.controlNamespace, config.trustDomain);
  const self = domain.identity(config.controlNamespace, config.serviceAccount);
  const limits = { lifetimeMs: config.issuanceLifetime, skewMs: config.clockSkewAllowance };

  const counted = identityMetrics(metrics);
  const health = new Health(readiness, counted);
  const pages = new Map<string, () => unknown>();
  const admin = adminServer({ readiness, metrics, log, clock, pages });
  context.onClose('admin', (deadline) => closeServer(admin, deadline));
  const adminAddress = await listen(admin, config.adminListenAddress);

  // Loaded only where something of the cluster is wanted.
  const inCluster = needsCluster(config)
    ? await (
        await import('./cluster/in-cluster.ts')
      ).InCluster.join(config, domain, { clock, log, metrics, health, signal })
    : undefined;
  const anchorsSource = inCluster?.anchors ?? (await readAnchors(config, context));
  health.follow('trust-anchors', anchorsSource);
  const anchors = anchorsSource.current;

  const { onClose } = context;
  const issuerNeeds = { anchors, identity: self, clock, log, metrics, signal, onClose };
  const issuer = await createIssuer(config, { ...issuerNeeds, ...inCluster?.forIssuers });
  health.waitFor('issuer', issuer.state, ({ state }) => state === 'ready');
  const degraded = (reason: string | undefined): void => health.degraded('issuer', reason);
  void followIssuer(issuer, { clock, log, degraded, signal });
  const holdings = new Holdings(clock);
  showIssuerStatus({ issuer, holdings, clock, lifetimeMs: limits.lifetimeMs }, { pages, metrics });

  const serving = new ServingCredentials({ identity: self, issuer, anchors, limits, clock, log });
  health.follow('serving-certificate', serving);
  void serving.run(signal);

  inCluster?.keep(issuer, anchors, self);

  const tokenNeeds = { domain, clock, log, health, signal };
  const client = inCluster?.cluster.client;
  const tokens =
    config.tokenVerifier === 'token-review' && client !== undefined
      ? createReviewVerifier(config, { ...tokenNeeds, client, metrics })
      : await createJwksVerifier(config, tokenNeeds);
  const { rateTotal: total, ratePerPeer: perPeer, ratePerServiceAccount: perServiceAccount } = config;
  const admission = new Admission({ total, perPeer, perServiceAccount }, clock);
  // A log of its own, so that no level set for the other one keeps a record back.
  const auditLog = createLog({ name: 'identity-audit', destination: logOutput });
  const audit = new Audit(auditLog, counted, clock, inCluster?.auditEvents);
  const certify = certifier({ admission, tokens, domain, issuer, limits, clock, audit, holdings });
  const trust = { anchors, census: new BundleCensus(metrics), domain, log };

  const server = await serve({
    address: config.listenAddress,
    credentials: serving.current,
    services: [certifyService(certify, domain), trustBundleService(trust)],
    log,
    metrics,
  });
  context.onClose('grpc', (deadline) => server.close(deadline));
  log.info({ address: server.address, adminAddress, identity: self.dnsName }, 'serving');
});

/** The anchors in a file that has been read once, or without one those that Vault shows. */
async function readAnchors(config: IdentityConfig, context: ProcessContext): Promise<Source<TrustBundle>> {
  const { clock, log, signal } = context;
  if (config.trustAnchorsFile === undefined) {
    // Loaded only where it is wanted: the library for Vault is large.
    return (await import('./vault-anchors.ts')).vaultAnchors(config, context);
  }
  const source = anchorsFile(config.trustAnchorsFile, clock, log);
  await source.start(signal);
  return source;
}
