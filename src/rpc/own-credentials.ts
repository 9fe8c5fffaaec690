import type { Credentials } from '../pki/credentials.ts';
import type { TrustBundle } from '../pki/trust-bundle.ts';
import type { Latest } from '../runtime/latest.ts';
import { LatestValue } from '../runtime/latest.ts';
import type { ProcessContext } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/log.ts';
import { Certifier } from './certifier.ts';
import type { CertifierOptions } from './certifier.ts';
import { connectChannel } from './connect-channel.ts';
import type { ChannelTarget } from './connect-channel.ts';
import { identityClient } from './identity-api.ts';
import { retrySleep } from './retry-sleep.ts';
import { trustApiClient } from './trust-api.ts';
import { TrustFollower } from './trust-client.ts';

export interface OwnCredentialsOptions extends Pick<
  CertifierOptions,
  'identity' | 'tokenFile' | 'minRefreshMs' | 'maxRefreshMs' | 'attemptTimeoutMs' | 'withUri'
> {
  /** Where the identity service is, and the identity it must prove. */
  readonly identityService: Pick<ChannelTarget, 'address' | 'serverName' | 'reconnect'>;
  /** The configured trust anchors, until the identity service publishes others. */
  readonly anchors: TrustBundle;
}

/** Who this process is, whom it trusts, and how both change. */
export interface OwnCredentials {
  /** Undefined before the first certificate. */
  readonly credentials: Latest<Credentials | undefined>;
  readonly bundle: Latest<TrustBundle>;
}

/**
 * Has this process certified and kept certified, and its anchors kept current, until the signal is aborted. Opens the
 * gate `first-certificate` with the first one, and never closes it again (contract 2.6): a certificate that is not
 * renewed is told as degraded, because a restart would not help against it.
 */
export function keepCredentials(
  { identityService, anchors, ...own }: OwnCredentialsOptions,
  { log, metrics, readiness, clock }: Pick<ProcessContext, 'metrics' | 'readiness' | 'clock'> & { log: Log },
  signal: AbortSignal,
): OwnCredentials {
  const credentials = new LatestValue<Credentials | undefined>(undefined);
  const bundle = new LatestValue(anchors);
  const channel = connectChannel({ ...identityService, credentials, bundle, log });
  signal.addEventListener('abort', () => channel.close(), { once: true });
  const shared = { credentials, bundle, clock, log, sleep: retrySleep(channel, clock) };
  const certifier = new Certifier({ ...own, ...shared, client: identityClient(channel), metrics });
  const follower = new TrustFollower({ ...shared, client: trustApiClient(channel) });
  const gate = readiness.gate('first-certificate');
  credentials.subscribe(() => gate.open());
  certifier.problem.subscribe((problem) => {
    if (credentials.value !== undefined) readiness.degraded('certificate', problem);
    else if (problem !== undefined) gate.close(problem);
  });
  void certifier.run(signal);
  void follower.run(signal);
  return { credentials, bundle };
}
