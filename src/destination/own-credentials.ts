import type { Credentials } from '../pki/credentials.ts';
import { TrustBundle } from '../pki/trust-bundle.ts';
import type { MeshDomain } from '../pki/workload-identity.ts';
import { Certifier } from '../rpc/certifier.ts';
import { connectChannel } from '../rpc/channel.ts';
import { identityClient } from '../rpc/identity-api.ts';
import { trustApiClient } from '../rpc/trust-api.ts';
import { TrustFollower } from '../rpc/trust-client.ts';
import type { Latest } from '../runtime/latest.ts';
import { LatestValue } from '../runtime/latest.ts';
import type { ProcessContext } from '../runtime/lifecycle.ts';
import { readFiles } from '../runtime/read-files.ts';
import type { DestinationSettings } from './settings.ts';
import { identityNameOf } from './settings.ts';

/** Bounds of the time between two certificates. The lower one is for lifetimes of seconds, as the demo has them. */
const MIN_REFRESH_MS = 1_000;
const MAX_REFRESH_MS = 24 * 60 * 60_000;

/**
 * The certificate of this process, from the identity service as that of every workload is, and the trust anchors as
 * identity publishes them, starting from the configured ones. Opens the gate `first-certificate`.
 */
export async function ownCredentials(
  settings: DestinationSettings,
  domain: MeshDomain,
  context: ProcessContext,
): Promise<Latest<Credentials | undefined>> {
  const { log, metrics, clock, readiness, signal } = context;
  const credentials = new LatestValue<Credentials | undefined>(undefined);
  const bundle = new LatestValue(await readAnchors(settings.trustAnchorsFile));
  const serverName = identityNameOf(settings, domain);
  const channel = connectChannel({ address: settings.identityAddr, serverName, credentials, bundle, log });
  context.onClose('identity channel', () => {
    channel.close();
    return Promise.resolve();
  });
  const certifier = new Certifier({
    identity: domain.identity(settings.controlNamespace, settings.serviceAccount),
    tokenFile: settings.tokenFile,
    client: identityClient(channel),
    credentials,
    bundle,
    clock,
    log,
    metrics,
    minRefreshMs: MIN_REFRESH_MS,
    maxRefreshMs: MAX_REFRESH_MS,
  });
  const follower = new TrustFollower({ client: trustApiClient(channel), bundle, credentials, clock, log });
  const gate = readiness.gate('first-certificate');
  credentials.subscribe(() => gate.open());
  void certifier.run(signal);
  void follower.run(signal);
  return credentials;
}

async function readAnchors(path: string): Promise<TrustBundle> {
  const contents = await readFiles({ paths: [path] });
  return TrustBundle.parsePem(contents.get(path)?.toString('utf8') ?? '');
}
