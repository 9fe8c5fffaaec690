import type { DestinationHandler } from '../rpc/destination-api.ts';
import type { InboundPolicyHandler } from '../rpc/inbound-policy-api.ts';
import type { OutboundPolicyHandler } from '../rpc/outbound-policy-api.ts';
import type { IpNetwork } from '../runtime/ip-network.ts';
import type { Log } from '../runtime/log.ts';
import type { Admission } from './client-rule.ts';
import type { DestinationMetrics, StreamKind } from './destination-metrics.ts';
import type { EndpointSource } from './endpoint-source.ts';
import { Get } from './get.ts';
import { GetProfile } from './get-profile.ts';
import type { PolicySource } from './policy-source.ts';
import { WatchOutbound } from './watch-outbound.ts';
import { WatchPort } from './watch-port.ts';
import { workloadKey } from './workload-name.ts';

export interface DestinationOptions {
  readonly endpoints: EndpointSource;
  readonly policies: PolicySource;
  readonly clusterDomain: string;
  /** Where services and workloads have their addresses; what is elsewhere is passed through. */
  readonly clusterNetworks: readonly IpNetwork[];
  readonly admit: Admission;
  readonly log: Log;
  readonly metrics: DestinationMetrics;
}

/** The APIs of the process, as their services want them. */
export interface DestinationHandlers {
  readonly destination: DestinationHandler;
  readonly inboundPolicy: InboundPolicyHandler;
  readonly outboundPolicy: OutboundPolicyHandler;
}

/** Joins the calls with what answers them: admission first, then counting, then the answer. */
export function destinationHandlers(options: DestinationOptions): DestinationHandlers {
  const { endpoints, policies, clusterDomain, clusterNetworks, admit, log, metrics } = options;
  const get = new Get(endpoints, clusterDomain);
  const getProfile = new GetProfile(endpoints, clusterDomain);
  const outbound = new WatchOutbound(endpoints, clusterDomain, clusterNetworks);
  const ports = new WatchPort(policies, (workload) =>
    log.info({ workload: workloadKey(workload) }, 'policy watched for an unknown workload'),
  );
  metrics.countSubscriptions(() => ({
    get: get.subscriptions,
    get_profile: getProfile.subscriptions,
    watch_port: ports.subscriptions,
    watch_outbound: outbound.subscriptions,
  }));
  const counted = async (kind: StreamKind, stream: () => Promise<void>) => {
    metrics.streams.inc({ api: kind });
    try {
      await stream();
    } finally {
      metrics.streams.dec({ api: kind });
    }
  };
  return {
    destination: {
      get: async (request, call, out) => {
        admit(call);
        await counted('get', () => get.answer(request, metrics.counting('get', out)));
      },
      getProfile: async (request, call, out) => {
        admit(call);
        await counted('get_profile', () => getProfile.answer(request, metrics.counting('get_profile', out)));
      },
    },
    inboundPolicy: {
      getPort: async (request, call) => {
        admit(call);
        return ports.once(request, call.signal);
      },
      watchPort: async (request, call, out) => {
        admit(call);
        await counted('watch_port', () => ports.watch(request, metrics.counting('watch_port', out)));
      },
    },
    outboundPolicy: {
      get: async (request, call) => {
        admit(call);
        return outbound.once(request, call.signal);
      },
      watch: async (request, call, out) => {
        admit(call);
        await counted('watch_outbound', () =>
          outbound.watch(request, metrics.counting('watch_outbound', out)),
        );
      },
    },
  };
}
