import type { MeshDomain } from '../pki/workload-identity.ts';
import type { PeerIdentity } from '../rpc/call.ts';

/** The name of this mesh that a verified client certificate proves; `undefined` without one. */
export function peerName(peer: PeerIdentity | undefined, domain: MeshDomain): string | undefined {
  return peer?.dnsNames.find((name) => isMeshName(name, domain));
}

function isMeshName(name: string, domain: MeshDomain): boolean {
  try {
    domain.parse(name);
    return true;
  } catch {
    return false;
  }
}
