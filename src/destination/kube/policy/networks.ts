import { IpNetwork } from '../../../runtime/ip-network.ts';
import type { AllowedNetwork } from '../../server-policy.ts';
import { readList } from './clients.ts';
import { fieldsOf, shown } from '../fields.ts';

/**
 * `[{cidr, except}]`. A network that cannot be read lets nobody in, nor does one of which an exception cannot be read:
 * without the exception it would let in more than was meant.
 */
export function readNetworks(value: unknown, problems: string[]): AllowedNetwork[] {
  return readList(value, 'networks', problems).flatMap((each) => {
    const { cidr, except } = fieldsOf(each);
    const before = problems.length;
    const network = readNetwork(cidr, problems);
    const exceptions = readList(except, 'except', problems).map((text) => readNetwork(text, problems));
    const readable = exceptions.filter((exception) => exception !== undefined);
    return network === undefined || problems.length > before ? [] : [{ network, except: readable }];
  });
}

function readNetwork(value: unknown, problems: string[]): IpNetwork | undefined {
  const network = typeof value === 'string' ? IpNetwork.parse(value) : undefined;
  if (network === undefined) problems.push(`expected a network like 10.0.0.0/8, got ${shown(value)}`);
  return network;
}
