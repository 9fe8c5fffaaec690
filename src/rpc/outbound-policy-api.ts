import type { Call } from './call.ts';
import type { CallOptions, Channel } from './channel.ts';
import { OutboundPoliciesDefinition } from './gen/io/linkerd/proxy/outbound/outbound.ts';
import type { OutboundPolicy, TrafficSpec } from './gen/io/linkerd/proxy/outbound/outbound.ts';
import { method } from './method.ts';
import { serverStreamMethod, unaryMethod } from './service.ts';
import type { Service } from './service.ts';
import type { StreamWriter } from './stream-writer.ts';

// The values build messages from their parts: `OutboundPolicy.fromPartial({...})`.
export {
  Backend,
  Distribution,
  HttpRoute,
  OpaqueRoute,
  OutboundPolicy,
  ProxyProtocol,
  TrafficSpec,
} from './gen/io/linkerd/proxy/outbound/outbound.ts';
export { Metadata } from './gen/io/linkerd/proxy/meta/meta.ts';

const get = method(OutboundPoliciesDefinition, OutboundPoliciesDefinition.methods.get);
const watch = method(OutboundPoliciesDefinition, OutboundPoliciesDefinition.methods.watch);

/** Contract 5.7. A watch ends when its promise settles, so a handler waits for `out.signal`. */
export interface OutboundPolicyHandler {
  get(request: TrafficSpec, call: Call): Promise<OutboundPolicy>;
  watch(request: TrafficSpec, call: Call, out: StreamWriter<OutboundPolicy>): Promise<void>;
}

/** Each message of a watch is the whole policy, so a slow reader gets only the last. */
export function outboundPolicyService(handler: OutboundPolicyHandler): Service {
  return {
    name: OutboundPoliciesDefinition.fullName,
    methods: [
      unaryMethod(get, (request, call) => handler.get(request, call)),
      serverStreamMethod(watch, (request, call, out) => handler.watch(request, call, out)),
    ],
  };
}

export interface OutboundPolicyClient {
  get(request: TrafficSpec, options?: CallOptions): Promise<OutboundPolicy>;
  watch(request: TrafficSpec, signal: AbortSignal): AsyncIterable<OutboundPolicy>;
}

/** A watch lasts until the signal is aborted (it then rejects with `signal.reason`) or the server ends it. */
export function outboundPolicyClient(channel: Channel): OutboundPolicyClient {
  return {
    get: (request, options) => channel.unary(get, request, options),
    watch: (request, signal) => channel.serverStream(watch, request, signal),
  };
}
