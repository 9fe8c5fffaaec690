import type { Endpoint } from '../../../src/destination/endpoint.ts';
import { bareEndpoint } from '../../../src/destination/endpoint.ts';
import { parseTarget } from '../../../src/destination/target.ts';

/** An endpoint at `address:port`, bare but for what is given. */
export function endpoint(at: string, parts: Partial<Endpoint> = {}): Endpoint {
  const target = parseTarget(at, 'cluster.local');
  if (target.kind !== 'address') throw new TypeError(`expected an address, got ${at}`);
  return { ...bareEndpoint(target.address, target.port), ...parts };
}
