import type { Credentials } from '../pki/credentials.ts';
import type { TrustBundle } from '../pki/trust-bundle.ts';
import { Certifier } from '../rpc/certifier.ts';
import { connectChannel } from '../rpc/channel.ts';
import { identityClient } from '../rpc/identity-api.ts';
import { trustApiClient } from '../rpc/trust-api.ts';
import { TrustFollower } from '../rpc/trust-client.ts';
import { LatestValue } from '../runtime/latest.ts';
import type { Latest } from '../runtime/latest.ts';
import type { ProcessContext } from '../runtime/lifecycle.ts';
import { watchCertificate } from './certificate-health.ts';
import type { ProxySettings } from './settings.ts';
import { localIdentity } from './settings/checks.ts';

/** Who this proxy is, whom it trusts, and how both change. */
export interface OwnCredentials {
  /** Undefined before the first certificate. */
  readonly credentials: Latest<Credentials | undefined>;
  readonly bundle: Latest<TrustBundle>;
}

/**
 * Has this proxy certified and kept certified, and its anchors kept current, until the signal is aborted. Opens the
 * gate `first-certificate` with the first one, and never closes it again (contract 2.6): an expired certificate is told
 * as degraded, because a restart would not help against it.
 */
export function keepCredentials(
  settings: ProxySettings,
  { log, metrics, readiness, clock }: Pick<ProcessContext, 'log' | 'metrics' | 'readiness' | 'clock'>,
  signal: AbortSignal,
): OwnCredentials {
  const credentials = new LatestValue<Credentials | undefined>(undefined);
  const bundle = new LatestValue(settings.trustAnchors);
  const channel = connectChannel({
    address: settings.identityAddress,
    serverName: settings.identityServiceName,
    credentials,
    bundle,
    log,
  });
  signal.addEventListener('abort', () => channel.close(), { once: true });
  const gate = readiness.gate('first-certificate');
  credentials.subscribe(() => gate.open());
  const certifier = new Certifier({
    identity: localIdentity(settings),
    tokenFile: settings.identityTokenFile,
    client: identityClient(channel),
    credentials,
    bundle,
    clock,
    log,
    metrics,
    minRefreshMs: settings.identityMinRefreshMs,
    maxRefreshMs: settings.identityMaxRefreshMs,
    withUri: !settings.identityDnsOnly,
  });
  const follower = new TrustFollower({ client: trustApiClient(channel), bundle, credentials, clock, log });
  void certifier.run(signal);
  void follower.run(signal);
  const degraded = (reason: string | undefined): void => readiness.degraded('certificate', reason);
  watchCertificate(credentials, { clock, degraded, signal });
  return { credentials, bundle };
}
