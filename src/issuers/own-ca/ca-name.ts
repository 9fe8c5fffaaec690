import type { MeshDomain } from '../../pki/workload-identity.ts';

/** Upper bound of a common name (RFC 5280 appendix A.1, ub-common-name). */
const MAX_COMMON_NAME = 64;

/** Common name of a CA, a label for people (contract 7.2): nothing is decided by it, so a long trust domain is cut. */
export function caName(role: 'root' | 'identity', mesh: MeshDomain): string {
  const name = `${role}.${mesh.controlNamespace}.${mesh.trustDomain}`;
  return name.slice(0, MAX_COMMON_NAME).replace(/[.-]+$/, '');
}
