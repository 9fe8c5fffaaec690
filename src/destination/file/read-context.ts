import type { MeshDomain, WorkloadIdentity } from '../../pki/workload-identity.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { quoted } from '../../runtime/quoted.ts';
import { IpAddress } from '../../runtime/ip-address.ts';
import type { IpNetwork } from '../../runtime/ip-network.ts';
import { parseExactNetwork } from './exact-network.ts';
import type { FieldPath, Problems } from './problems.ts';

/** What every part of the reading needs: whose names these are, and where to tell what is wrong. */
export interface ReadContext {
  readonly domain: MeshDomain;
  readonly problems: Problems;
}

/** `namespace/name` in its two parts. The schema has seen to it that there is one slash. */
export function splitName(text: string): { namespace: string; name: string } {
  const slash = text.indexOf('/');
  return { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

export function readAddress(text: string, path: FieldPath, { problems }: ReadContext): IpAddress | undefined {
  const address = IpAddress.parse(text);
  if (address === undefined) problems.add(path, `expected an IP address, got ${quoted(text)}`);
  return address;
}

export function readNetwork(text: string, path: FieldPath, { problems }: ReadContext): IpNetwork | undefined {
  const network = parseExactNetwork(text);
  if (typeof network !== 'string') return network;
  problems.add(path, network);
  return undefined;
}

/**
 * The identity of a ServiceAccount. One that makes no valid name is a problem of the file: left to the proxies, it
 * would be dropped there and the connection made in plaintext (gotcha 36).
 */
export function readIdentity(
  namespace: string,
  serviceAccount: string,
  path: FieldPath,
  { domain, problems }: ReadContext,
): WorkloadIdentity | undefined {
  try {
    return domain.identity(namespace, serviceAccount);
  } catch (error) {
    problems.add(path, errorMessage(error));
    return undefined;
  }
}
