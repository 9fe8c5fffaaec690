import type { Call } from './call.ts';
import type { CallOptions, Channel } from './channel.ts';
import { InboundServerPoliciesDefinition } from './gen/io/linkerd/proxy/inbound/inbound.ts';
import type { PortSpec, Server } from './gen/io/linkerd/proxy/inbound/inbound.ts';
import { method } from './method.ts';
import { serverStreamMethod, unaryMethod } from './service.ts';
import type { Service } from './service.ts';
import type { StreamWriter } from './stream-writer.ts';

// The values build messages from their parts: `Server.fromPartial({...})`.
export {
  Authn,
  Authz,
  GrpcRoute,
  HttpRoute,
  Identity,
  IdentitySuffix,
  Network,
  PortSpec,
  ProxyProtocol,
  Server,
} from './gen/io/linkerd/proxy/inbound/inbound.ts';
export { HttpRouteMatch } from './gen/io/linkerd/proxy/http_route/http_route.ts';
export { Metadata, Resource } from './gen/io/linkerd/proxy/meta/meta.ts';
export { IPAddress, IPNetwork, IPv6 } from './gen/io/linkerd/proxy/net/net.ts';

const getPort = method(InboundServerPoliciesDefinition, InboundServerPoliciesDefinition.methods.getPort);
const watchPort = method(InboundServerPoliciesDefinition, InboundServerPoliciesDefinition.methods.watchPort);

/** Contract 5.1. A watch ends when its promise settles, so a handler waits for `out.signal`. */
export interface InboundPolicyHandler {
  getPort(request: PortSpec, call: Call): Promise<Server>;
  watchPort(request: PortSpec, call: Call, out: StreamWriter<Server>): Promise<void>;
}

/** Each message of a watch is the whole policy, so a slow reader gets only the last. */
export function inboundPolicyService(handler: InboundPolicyHandler): Service {
  return {
    name: InboundServerPoliciesDefinition.fullName,
    methods: [
      unaryMethod(getPort, (request, call) => handler.getPort(request, call)),
      serverStreamMethod(watchPort, (request, call, out) => handler.watchPort(request, call, out)),
    ],
  };
}

export interface InboundPolicyClient {
  getPort(request: PortSpec, options?: CallOptions): Promise<Server>;
  watchPort(request: PortSpec, signal: AbortSignal): AsyncIterable<Server>;
}

/** A watch lasts until the signal is aborted (it then rejects with `signal.reason`) or the server ends it. */
export function inboundPolicyClient(channel: Channel): InboundPolicyClient {
  return {
    getPort: (request, options) => channel.unary(getPort, request, options),
    watchPort: (request, signal) => channel.serverStream(watchPort, request, signal),
  };
}
