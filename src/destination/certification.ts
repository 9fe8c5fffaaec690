import { TrustBundle } from '../pki/trust-bundle.ts';
import type { MeshDomain } from '../pki/workload-identity.ts';
import type { OwnCredentialsOptions } from '../rpc/own-credentials.ts';
import { readFiles } from '../runtime/read-files.ts';
import type { DestinationSettings } from './settings.ts';
import { identityNameOf } from './settings.ts';

/** Bounds of the time between two certificates. The lower one is for lifetimes of seconds, as the demo has them. */
const MIN_REFRESH_MS = 1_000;
const MAX_REFRESH_MS = 24 * 60 * 60_000;
const ATTEMPT_TIMEOUT_MS = 10_000;

/** How this process comes by its certificate: from the identity service, as every workload does. */
export async function certification(
  settings: DestinationSettings,
  domain: MeshDomain,
): Promise<OwnCredentialsOptions> {
  return {
    identity: domain.identity(settings.controlNamespace, settings.serviceAccount),
    tokenFile: settings.tokenFile,
    identityService: { address: settings.identityAddr, serverName: identityNameOf(settings, domain) },
    anchors: await readAnchors(settings.trustAnchorsFile),
    minRefreshMs: MIN_REFRESH_MS,
    maxRefreshMs: MAX_REFRESH_MS,
    attemptTimeoutMs: ATTEMPT_TIMEOUT_MS,
  };
}

async function readAnchors(path: string): Promise<TrustBundle> {
  const contents = await readFiles({ paths: [path] });
  return TrustBundle.parsePem(contents.get(path)?.toString('utf8') ?? '');
}
