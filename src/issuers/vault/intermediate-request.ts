import type { KeyObject } from 'node:crypto';
import { createCsr } from '../../pki/csr.ts';
import { encodePem } from '../../pki/pem.ts';
import type { WorkloadIdentity } from '../../pki/workload-identity.ts';

/** The body for `sign-intermediate`, under the names of its parameters. */
export interface IntermediateRequest {
  readonly csr: string;
  readonly use_csr_values: boolean;
  readonly common_name: string;
  readonly exclude_cn_from_sans: boolean;
  readonly alt_names: string;
  readonly max_path_length: string;
  readonly permitted_dns_domains: string;
  readonly ttl: string;
  readonly format: string;
}

/**
 * A CA that may sign names of this trust domain and no further CA. Numbers and lists are texts, which the engine takes too, and
 * which alone a policy can hold to a value (`allowed_parameters`).
 */
export function intermediateRequest(
  key: KeyObject,
  identity: WorkloadIdentity,
  lifetimeMs: number,
): IntermediateRequest {
  const trustDomain = new URL(identity.spiffeId).host;
  return {
    // Only its key is taken: names, usages and constraints are the parameters.
    csr: encodePem('CERTIFICATE REQUEST', createCsr({ key, dnsName: identity.dnsName })),
    use_csr_values: false,
    common_name: commonName(trustDomain),
    // Below a CA with name constraints Vault signs nothing without a name to hold against them.
    exclude_cn_from_sans: true,
    alt_names: meshName(identity),
    max_path_length: '0',
    permitted_dns_domains: trustDomain,
    ttl: intermediateTtl(lifetimeMs),
    format: 'pem',
  };
}

/** As a policy that allows just one must have it. */
export function intermediateTtl(lifetimeMs: number): string {
  return `${Math.floor(lifetimeMs / 1000)}s`;
}

/** What the names of all workloads end in: within the constraints of whatever CA may sign for them. */
function meshName({ dnsName, serviceAccount, namespace }: WorkloadIdentity): string {
  return dnsName.slice(`${serviceAccount}.${namespace}.`.length);
}

/** A label for people; the limit is that of common names (RFC 5280 appendix A.1). */
function commonName(trustDomain: string): string {
  return `identity.${trustDomain}`.slice(0, 64).replace(/[.-]+$/, '');
}
