import { MeshDomain } from '../../pki/workload-identity.ts';
import type { WorkloadIdentity } from '../../pki/workload-identity.ts';
import type { Format } from '../../runtime/formats.ts';

const marker = '.serviceaccount.identity.';

/** This workload's own name, from which its mesh is known too: one label of control namespace, then the trust domain. */
export const localIdentityFormat: Format<WorkloadIdentity> = {
  expected: 'a name such as "api.shop.serviceaccount.identity.kedge.cluster.local"',
  parse: (text) => {
    const name = text.trim();
    const [controlNamespace = '', ...trustDomain] = name
      .slice(name.lastIndexOf(marker) + marker.length)
      .split('.');
    return name.includes(marker)
      ? new MeshDomain(controlNamespace, trustDomain.join('.')).parse(name)
      : undefined;
  },
};
