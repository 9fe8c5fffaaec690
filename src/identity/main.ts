import { checkIssuerConfig, createIssuer } from '../issuers/create-issuer.ts';
import { followIssuer } from '../issuers/issuer-health.ts';
import { MeshDomain } from '../pki/workload-identity.ts';
import { serve } from '../rpc/server.ts';
import { adminServer } from '../runtime/admin-server.ts';
import { readEnvironment } from '../runtime/env.ts';
import { runProcess } from '../runtime/lifecycle.ts';
import { closeServer, listen } from '../runtime/listen.ts';
import { createLog } from '../runtime/log.ts';
import { Admission } from './admission.ts';
import { anchorsFile } from './anchors-file.ts';
import { Audit } from './audit.ts';
import { BundleCensus } from './bundle-census.ts';
import { certifier } from './certify.ts';
import { Health } from './health.ts';
import { identityMetrics } from './identity-metrics.ts';
import { certifyService } from './identity-service.ts';
import { ServingCredentials } from './serving-credentials.ts';
import { identityChecks, identitySettings } from './settings.ts';
import { createTokenVerifier } from './token/create-token-verifier.ts';
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
  const admin = adminServer({ readiness, metrics, log, clock });
  context.onClose('admin', (deadline) => closeServer(admin, deadline));
  const adminAddress = await listen(admin, config.adminListenAddress);

  const anchorsSource = anchorsFile(config.trustAnchorsFile, clock, log);
  health.follow('trust-anchors', anchorsSource);
  await anchorsSource.start(signal);
  const anchors = anchorsSource.current;

  const issuer = await createIssuer(config, { anchors, identity: self, clock, log, metrics, signal });
  health.waitFor('issuer', issuer.state, ({ state }) => state === 'ready');
  const degraded = (reason: string | undefined): void => health.degraded('issuer', reason);
  void followIssuer(issuer, { clock, log, degraded, signal });

  const serving = new ServingCredentials({ identity: self, issuer, anchors, limits, clock, log });
  health.follow('serving-certificate', serving);
  void serving.run(signal);

  const tokens = await createTokenVerifier(config, { domain, clock, log, health, signal });
  const { rateTotal: total, ratePerPeer: perPeer, ratePerServiceAccount: perServiceAccount } = config;
  const admission = new Admission({ total, perPeer, perServiceAccount }, clock);
  // A log of its own, so that no level set for the other one keeps a record back.
  const audit = new Audit(createLog({ name: 'identity-audit', destination: logOutput }), counted, clock);
  const certify = certifier({ admission, tokens, domain, issuer, limits, clock, audit });
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
