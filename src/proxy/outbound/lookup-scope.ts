import { isIP } from 'node:net';

import type { IpNetwork } from '../../runtime/ip-network.ts';

/** What is done about a target: ask discovery, carry it on to its own address as it is, or refuse it. */
export type LookupPlan = 'look-up' | 'pass-through' | 'refuse';

export interface LookupScope {
  /** Names below one of these are asked for; `.` stands for every name (contract 2.3). */
  readonly suffixes: readonly string[];
  /**
   * Addresses in here are asked for. Undefined means every address: without outbound policy the profile is the
   * only word on whether an address belongs to the mesh, and asking is the safe way to be told that it does not.
   */
  readonly networks: readonly IpNetwork[] | undefined;
}

/**
 * A name has no address of its own to carry it on to, so one that discovery may not be asked for is refused.
 */
export function planLookup(host: string, { suffixes, networks }: LookupScope): LookupPlan {
  if (isIP(host) !== 0) {
    const inside = networks === undefined || networks.some((network) => network.contains(host));
    return inside ? 'look-up' : 'pass-through';
  }
  const name = bare(host);
  const inside = suffixes
    .map(bare)
    .some((suffix) => suffix === '' || name === suffix || name.endsWith(`.${suffix}`));
  return inside ? 'look-up' : 'refuse';
}

function bare(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
