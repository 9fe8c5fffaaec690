import type { TrustBundle } from '../pki/trust-bundle.ts';
import type { MeshDomain } from '../pki/workload-identity.ts';
import type { Call } from '../rpc/call.ts';
import type { Service } from '../rpc/service.ts';
import { trustService, type PublishedBundle, type TrustReport } from '../rpc/trust-api.ts';
import { aborted } from '../runtime/aborted.ts';
import type { Latest } from '../runtime/latest.ts';
import type { Log } from '../runtime/log.ts';
import { quoted } from '../runtime/quoted.ts';
import type { BundleCensus } from './bundle-census.ts';
import { identityErrors } from './errors.ts';
import { peerName } from './peer-name.ts';

export interface TrustBundleServiceNeeds {
  readonly anchors: Latest<TrustBundle | undefined>;
  readonly census: BundleCensus;
  readonly domain: MeshDomain;
  readonly log: Log;
}

/**
 * `kedge.trust.v1`: sends each workload the present anchors, and again after each change, and takes its word on which
 * it uses. Only for callers with a certificate of this mesh, since that word decides when an anchor may go.
 */
export function trustBundleService(needs: TrustBundleServiceNeeds): Service {
  const { anchors, census } = needs;
  const toMessage = publisher(census);
  return trustService({
    watch: async (reports, call, out) => {
      const workload = workloadOf(call, needs.domain);
      const send = (bundle: TrustBundle | undefined): void => {
        if (bundle !== undefined) out.write(toMessage(bundle));
      };
      const place = census.enter();
      const stopSending = anchors.subscribe(send);
      const listen = async (): Promise<void> => {
        for await (const report of reports) {
          place.report({ bundle: report.sha256InUse, leafAnchor: report.leafAnchorSha256 });
          tellRefusal(report, workload, needs.log);
        }
      };
      const ended = aborted(out.signal);
      try {
        send(anchors.value);
        // A workload with nothing to say does not hold up the end, and its last word is not the end.
        await Promise.race([ended, listen().then(() => ended)]);
      } finally {
        stopSending();
        place.leave();
      }
    },
  });
}

/** One message object for one bundle, so that it is encoded once for all streams. */
function publisher(census: BundleCensus): (bundle: TrustBundle) => PublishedBundle {
  const messages = new WeakMap<TrustBundle, PublishedBundle>();
  return (bundle) => {
    const known = messages.get(bundle);
    if (known !== undefined) return known;
    const message = { pem: bundle.pem, sha256: bundle.sha256 };
    messages.set(bundle, message);
    census.publish(bundle);
    return message;
  };
}

function workloadOf({ peer }: Call, domain: MeshDomain): string {
  if (peer === undefined) {
    const message = 'expected a workload certificate, got none; open the stream again once there is one';
    throw identityErrors.error('caller_unauthenticated', message);
  }
  const name = peerName(peer, domain);
  if (name !== undefined) return name;
  const shown = quoted(peer.dnsNames[0] ?? peer.uris[0] ?? '');
  throw identityErrors.error(
    'caller_not_meshed',
    `expected a certificate of this mesh, got one for ${shown}`,
  );
}

function tellRefusal({ refusal, sha256InUse }: TrustReport, workload: string, log: Log): void {
  if (refusal === '') return;
  const fields = { workload, refusal: quoted(refusal), inUse: quoted(sha256InUse) };
  log.warn(fields, 'a workload did not take the trust bundle');
}
