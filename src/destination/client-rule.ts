import type { MeshDomain } from '../pki/workload-identity.ts';
import type { Call } from '../rpc/call.ts';
import { quoted } from '../runtime/quoted.ts';
import { destinationErrors } from './errors.ts';

/**
 * Whose calls are answered. `any` by default: the Rust proxy opens its streams before it has a certificate, and its
 * first requests still go over those connections (contract 11.1).
 */
export const CLIENT_RULES = ['any', 'meshed'] as const;

export type ClientRule = (typeof CLIENT_RULES)[number];

/** Throws unless the rule lets the caller in: `client_unauthenticated` or `client_not_meshed`. */
export type Admission = (call: Pick<Call, 'peer'>) => void;

export function admission(rule: ClientRule, domain: MeshDomain): Admission {
  if (rule === 'any') return () => undefined;
  return ({ peer }) => {
    if (peer === undefined) {
      throw destinationErrors.error(
        'client_unauthenticated',
        'expected a client certificate of this mesh, got none; connect again once there is one',
      );
    }
    if (!peer.dnsNames.some((name) => isOf(domain, name))) {
      const names = peer.dnsNames.slice(0, 3).map(quoted).join(', ');
      throw destinationErrors.error(
        'client_not_meshed',
        `expected a certificate for a workload under identity.${domain.controlNamespace}.${domain.trustDomain}, got ${names || 'one without DNS names'}`,
      );
    }
  };
}

function isOf(domain: MeshDomain, name: string): boolean {
  try {
    domain.parse(name);
    return true;
  } catch {
    return false;
  }
}
