import { IpAddress } from '../../../runtime/ip-address.ts';
import { IpNetwork } from '../../../runtime/ip-network.ts';
import type { Node } from '../node.ts';
import type { PolicyWorkload } from './policy-workload.ts';

/**
 * The addresses from which the kubelet of its node probes a pod: those of the node, and the gateway of the pods'
 * network, which is what the kernel dials from where pods hang on a bridge or have their host's end as the gateway.
 * It is taken into account only for a pod that has its address from that network, and where no pod has the first
 * address: there are networks that give out the addresses of nodes' `podCIDRs` in a way of their own.
 */
export function probeSources(
  { hostIPs, ips }: NonNullable<PolicyWorkload['probed']>,
  node: Pick<Node, 'podNetworks'> | undefined,
  isOfPod: (address: IpAddress) => boolean,
): IpNetwork[] {
  const gateways = (node?.podNetworks ?? []).flatMap((text) => {
    const network = IpNetwork.parse(text);
    return network !== undefined && ips.some((ip) => network.contains(ip))
      ? gatewayOf(network).filter((address) => !isOfPod(address))
      : [];
  });
  const own = hostIPs.flatMap((ip) => IpAddress.parse(ip) ?? []);
  const distinct = new Map([...own, ...gateways].map((address) => [address.toString(), address]));
  return [...distinct.values()].flatMap((address) => IpNetwork.of(address, address.bits) ?? []);
}

/** The first address after that of the network; none in a network of one or two. */
function gatewayOf({ address, prefixLength }: IpNetwork): IpAddress[] {
  const hostBits = BigInt(address.bits - prefixLength);
  if (hostBits < 2n) return [];
  return [IpAddress.of(address.family, ((address.value >> hostBits) << hostBits) + 1n)];
}
