import type { Call } from './call.ts';
import type { Channel } from './channel.ts';
import { DestinationDefinition } from './gen/io/linkerd/proxy/destination/destination.ts';
import type {
  DestinationProfile,
  GetDestination,
  Update,
} from './gen/io/linkerd/proxy/destination/destination.ts';
import { method } from './method.ts';
import { serverStreamMethod } from './service.ts';
import type { Service } from './service.ts';
import type { StreamWriter } from './stream-writer.ts';

// The values build messages from their parts: `Update.fromPartial({...})`.
export {
  AddrSet,
  AuthorityOverride,
  DestinationProfile,
  GetDestination,
  NoEndpoints,
  ProtocolHint,
  RetryBudget,
  TlsIdentity,
  Update,
  WeightedAddr,
  WeightedAddrSet,
  WeightedDst,
} from './gen/io/linkerd/proxy/destination/destination.ts';
export { Metadata, Resource } from './gen/io/linkerd/proxy/meta/meta.ts';
export { IPAddress, IPNetwork, IPv6, TcpAddress } from './gen/io/linkerd/proxy/net/net.ts';

const get = method(DestinationDefinition, DestinationDefinition.methods.get);
const getProfile = method(DestinationDefinition, DestinationDefinition.methods.getProfile);

/** Contract 4.1. A stream ends when its promise settles, so a handler waits for `out.signal`. */
export interface DestinationHandler {
  get(request: GetDestination, call: Call, out: StreamWriter<Update>): Promise<void>;
  getProfile(request: GetDestination, call: Call, out: StreamWriter<DestinationProfile>): Promise<void>;
}

/** While a reader is slow, updates of endpoints are folded into one remove and one add, and only the last profile is kept. */
export function destinationService(handler: DestinationHandler): Service {
  return {
    name: DestinationDefinition.fullName,
    methods: [
      serverStreamMethod(get, (request, call, out) => handler.get(request, call, out)),
      serverStreamMethod(getProfile, (request, call, out) => handler.getProfile(request, call, out)),
    ],
  };
}

export interface DestinationClient {
  get(request: GetDestination, signal: AbortSignal): AsyncIterable<Update>;
  getProfile(request: GetDestination, signal: AbortSignal): AsyncIterable<DestinationProfile>;
}

/** Each stream lasts until the signal is aborted (it then rejects with `signal.reason`) or the server ends it. */
export function destinationClient(channel: Channel): DestinationClient {
  return {
    get: (request, signal) => channel.serverStream(get, request, signal),
    getProfile: (request, signal) => channel.serverStream(getProfile, request, signal),
  };
}
