import type {
  Backend,
  Distribution,
  HttpRoute,
  Metadata,
  OpaqueRoute,
  OutboundPolicy,
  ProxyProtocol,
} from '../rpc/outbound-policy-api.ts';
import { durationOf } from '../rpc/duration.ts';
import type { Endpoint } from './endpoint.ts';
import type { OutboundRoute } from './outbound-route.ts';
import type { ServiceTarget } from './target.ts';
import { qualifiedName } from './target.ts';
import { toWeightedAddr } from './translate-endpoint.ts';

/** How long a proxy looks for HTTP in the first bytes, and lets connections wait for an endpoint (contract 5.7). */
const detectTimeout = durationOf(10_000);
const queue = { capacity: 100, failfastTimeout: durationOf(3_000) };
/** What a balancer takes an endpoint for before it has seen its answers, and how fast it forgets them. */
const load = { defaultRtt: durationOf(30), decay: durationOf(10_000) };

/**
 * A route as a proxy is told of it; undefined where it is to follow the profile. A single flaw makes a proxy fail every
 * connection (contract 5.7), so what it insists on is always here: metadata of the whole, of each route and of each
 * backend, all of the three protocols to detect, a match in each HTTP rule, a time for the queue and for the load.
 */
export function toOutboundPolicy(route: OutboundRoute, clusterDomain: string): OutboundPolicy | undefined {
  switch (route.kind) {
    case 'service': {
      const backends = toBackend(balancer(route.service, clusterDomain));
      return {
        metadata: serviceMetadata(route.service),
        protocol: route.opaque ? toOpaque(backends) : toDetect(backends),
      };
    }
    case 'undefined_port':
      return {
        metadata: serviceMetadata(route.service),
        protocol: { kind: { $case: 'opaque', value: forbidden } },
      };
    case 'outside':
      return { metadata: builtIn('egress-fallback'), protocol: toDetect(toBackend(forward(route.endpoint))) };
    case 'endpoint':
      return undefined;
  }
}

function toOpaque(backends: Distribution): ProxyProtocol {
  return { kind: { $case: 'opaque', value: { routes: [opaqueRoute(backends)] } } };
}

function toDetect(backends: Distribution): ProxyProtocol {
  const routes = [httpRoute(backends)];
  const opaque = { routes: [opaqueRoute(backends)] };
  const detect = { timeout: detectTimeout, opaque, http1: { routes }, http2: { routes } };
  return { kind: { $case: 'detect', value: detect } };
}

function opaqueRoute(backends: Distribution): OpaqueRoute {
  return { metadata: builtIn('opaq'), rules: [{ backends, filters: [] }] };
}

/** One rule that takes every request: a rule without a match takes none. */
function httpRoute(backends: Distribution): HttpRoute {
  return { metadata: builtIn('http'), rules: [{ matches: [{}], backends }] };
}

const forbidden: { readonly routes: OpaqueRoute[] } = {
  routes: [
    {
      metadata: builtIn('undefined-port'),
      rules: [
        {
          backends: { kind: { $case: 'empty', value: {} } },
          filters: [{ kind: { $case: 'forbidden', value: {} } }],
        },
      ],
    },
  ],
};

function toBackend(backend: Backend): Distribution {
  return { kind: { $case: 'firstAvailable', value: { backends: [{ backend }] } } };
}

function balancer(service: ServiceTarget, clusterDomain: string): Backend {
  const path = `${qualifiedName(service, clusterDomain)}:${service.port}`;
  const discovery = { kind: { $case: 'dst', value: { path } } } as const;
  const value = { discovery, load: { $case: 'peakEwma', value: load } } as const;
  return { metadata: serviceMetadata(service), queue, kind: { $case: 'balancer', value } };
}

/** With what must be proven there: to be told later, by the profile, would come too late for whoever was told this. */
function forward(endpoint: Endpoint): Backend {
  const value = toWeightedAddr(endpoint, undefined);
  return { metadata: builtIn('egress-fallback'), queue, kind: { $case: 'forward', value } };
}

/** The core group has a name here (gotcha 50). */
function serviceMetadata({ namespace, name, port }: ServiceTarget): Metadata {
  const resource = { group: 'core', kind: 'Service', name, namespace, section: '', port };
  return { kind: { $case: 'resource', value: resource } };
}

function builtIn(name: string): Metadata {
  return { kind: { $case: 'default', value: name } };
}
