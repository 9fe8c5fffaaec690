import type { Endpoint } from '../../src/destination/endpoint.ts';
import { EndpointSet } from '../../src/destination/endpoint-set.ts';
import { MeshDomain } from '../../src/pki/workload-identity.ts';
import { IpAddress } from '../../src/runtime/ip-address.ts';

const identity = new MeshDomain('kedge', 'cluster.local').identity('shop', 'api');

/** Of all endpoints before the first change. */
export const firstWeight = 1;

/** The ten endpoints of the service that everyone follows. A change of the weight is an update of all ten. */
export function endpointsOfWeight(weight: number): EndpointSet {
  return EndpointSet.of(Array.from({ length: 10 }, (_, at) => endpoint(at, weight)));
}

function endpoint(at: number, weight: number): Endpoint {
  const address = IpAddress.parse(`10.42.0.${at + 1}`);
  if (address === undefined) throw new Error('expected an address');
  const zone = `zone-${at % 3}`;
  const labels = { pod: `api-6d4cf56db6-${at}`, deployment: 'api', pod_template_hash: '6d4cf56db6' };
  return {
    address,
    port: 8080,
    weight,
    identity,
    inboundPort: 4143,
    opaque: false,
    zone,
    namespace: 'shop',
    labels,
  };
}
