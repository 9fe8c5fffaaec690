import type {
  Backend,
  Distribution,
  Metadata,
  OutboundPolicy,
  ProxyProtocol,
} from '../../../src/rpc/outbound-policy-api.ts';
import { durationMs } from '../../../src/rpc/duration.ts';

type Kind = NonNullable<ProxyProtocol['kind']>;
type OpaqueRoute = Extract<Kind, { $case: 'opaque' }>['value']['routes'][number];
type HttpRoute = Extract<Kind, { $case: 'http1' }>['value']['routes'][number];

/** What the Rust proxy would take a policy for invalid by (contract 5.7); nothing for a good one. */
export function outboundFlaws(policy: OutboundPolicy): string[] {
  return [...metadataFlaws('policy', policy.metadata), ...protocolFlaws(policy.protocol?.kind)];
}

function protocolFlaws(kind: Kind | undefined): string[] {
  if (kind === undefined) return ['no protocol'];
  if (kind.$case === 'opaque') return opaqueFlaws(kind.value.routes);
  if (kind.$case !== 'detect') return [`a protocol that Kedge never tells: ${kind.$case}`];
  const { timeout, opaque, http1, http2 } = kind.value;
  return [
    ...(durationMs(timeout) === undefined ? ['detect without a timeout'] : []),
    ...(opaque === undefined ? ['detect without opaque'] : opaqueFlaws(opaque.routes)),
    ...(http1 === undefined ? ['detect without http1'] : http1.routes.flatMap(httpFlaws)),
    ...(http2 === undefined ? ['detect without http2'] : http2.routes.flatMap(httpFlaws)),
  ];
}

function opaqueFlaws(routes: readonly OpaqueRoute[]): string[] {
  if (routes.length > 1) return ['more than one opaque route'];
  return routes.flatMap(({ metadata, rules }) => [
    ...metadataFlaws('opaque route', metadata),
    ...(rules.length === 1 ? [] : ['an opaque route without exactly one rule']),
    ...rules.flatMap(({ backends, filters }) => [
      ...distributionFlaws(backends),
      ...(filters.every(({ kind }) => kind !== undefined) ? [] : ['a filter of no kind']),
    ]),
  ]);
}

function httpFlaws({ metadata, rules }: HttpRoute): string[] {
  return [
    ...metadataFlaws('http route', metadata),
    ...(rules.length > 0 ? [] : ['an http route without rules']),
    ...rules.flatMap(({ matches, backends }) => [
      ...(matches.length > 0 ? [] : ['an http rule without a match']),
      ...distributionFlaws(backends),
    ]),
  ];
}

function distributionFlaws(distribution: Distribution | undefined): string[] {
  const kind = distribution?.kind;
  if (kind === undefined) return ['a distribution of no kind'];
  if (kind.$case === 'empty') return [];
  if (kind.value.backends.length === 0) return ['a distribution over nothing'];
  const backends = kind.value.backends.map((each) => ('weight' in each ? each.backend : each)?.backend);
  return backends.flatMap((backend) => (backend === undefined ? ['no backend'] : backendFlaws(backend)));
}

function backendFlaws({ metadata, kind, queue }: Backend): string[] {
  const flaws = metadataFlaws('backend', metadata);
  if (durationMs(queue?.failfastTimeout) === undefined) flaws.push('a backend without a queue and its time');
  if (kind === undefined) return [...flaws, 'a backend of no kind'];
  if (kind.$case === 'forward')
    return kind.value.addr?.ip === undefined ? [...flaws, 'a forward to nowhere'] : flaws;
  const { discovery, load } = kind.value;
  if (discovery?.kind?.value.path === undefined || discovery.kind.value.path === '')
    flaws.push('a balancer of nothing');
  if (durationMs(load?.value.defaultRtt) === undefined || durationMs(load?.value.decay) === undefined) {
    flaws.push('a balancer without its two durations');
  }
  return flaws;
}

function metadataFlaws(of: string, metadata: Metadata | undefined): string[] {
  const kind = metadata?.kind;
  if (kind === undefined) return [`a ${of} without metadata`];
  if (kind.$case === 'default') return kind.value === '' ? [`a ${of} without a name`] : [];
  const { group, name, namespace } = kind.value;
  const whole = [group, kind.value.kind, name, namespace].every((part) => part !== '');
  return whole ? [] : [`a ${of} with metadata that lacks a part`];
}
