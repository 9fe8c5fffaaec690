import type { OutboundPolicy } from '../../../src/rpc/outbound-policy-api.ts';
import { outboundFlaws } from './outbound-flaws.ts';

/** How a policy has connections read, and where it sends them: `detect api.shop.svc.cluster.local:80`. */
export function toldOutbound(policy: OutboundPolicy): string {
  expect(outboundFlaws(policy)).toEqual([]);
  const kind = policy.protocol?.kind;
  const opaque =
    kind?.$case === 'detect' ? kind.value.opaque : kind?.$case === 'opaque' ? kind.value : undefined;
  const rule = opaque?.routes[0]?.rules[0];
  const distribution = rule?.backends?.kind;
  if (distribution?.$case !== 'firstAvailable')
    return `${kind?.$case ?? ''} ${rule?.filters[0]?.kind?.$case ?? ''}`;
  const to = distribution.value.backends[0]?.backend?.kind;
  return `${kind?.$case ?? ''} ${to?.$case === 'balancer' ? (to.value.discovery?.kind?.value.path ?? '') : (to?.$case ?? '')}`;
}

/** What must be proven where all connections are forwarded to. */
export function identityForwarded(policy: OutboundPolicy): string | undefined {
  expect(toldOutbound(policy)).toBe('detect forward');
  const kind = policy.protocol?.kind;
  const rule = kind?.$case === 'detect' ? kind.value.opaque?.routes[0]?.rules[0] : undefined;
  const distribution = rule?.backends?.kind;
  const backends = distribution?.$case === 'firstAvailable' ? distribution.value.backends : [];
  const to = backends[0]?.backend?.kind;
  return to?.$case === 'forward' ? to.value.tlsIdentity?.serverName?.name : undefined;
}
