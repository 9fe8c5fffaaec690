import { isIPv4 } from 'node:net';

import type { WorkloadIdentity } from '../../pki/workload-identity.ts';
import type { Check } from '../../runtime/env.ts';
import { formatSocketAddress, isLoopback } from '../../runtime/socket-address.ts';
import type { SocketAddress } from '../../runtime/socket-address.ts';
import { planLookup } from '../outbound/lookup-scope.ts';
import type { proxySettings, ProxySettings } from './proxy-settings.ts';

type Rule = Check<typeof proxySettings>;

/** Rules over several settings (contract 2.2 and 2.3). Each reads as one sentence of what is wrong. */
export const settingChecks: readonly Rule[] = [
  (values, problem) => {
    if (values.identityDisabled === undefined) return;
    problem(
      'LINKERD2_PROXY_IDENTITY_DISABLED',
      'nothing, since an identity cannot be done without',
      'a value',
    );
  },
  (values, problem) => {
    if (values.spireAddress === undefined) return;
    const expected = 'nothing, since only an identity service is supported';
    problem('LINKERD2_PROXY_IDENTITY_SPIRE_WORKLOAD_API_ADDRESS', expected, 'a value');
  },
  checkLocalName,
  named('IDENTITY', ({ identityAddress, identityServiceName }) => [identityAddress, identityServiceName]),
  named('DESTINATION', (values) => [values.destinationAddress, values.destinationServiceName]),
  named('POLICY', ({ policyAddress, policyServiceName }) => [policyAddress, policyServiceName]),
  (values, problem) => {
    const policy = values.inboundDefaultPolicy;
    if (values.clusterNetworks !== undefined || !/^(cluster-|audit$)/.test(policy)) return;
    const expected = `networks, which the default policy "${policy}" needs`;
    problem('LINKERD2_PROXY_POLICY_CLUSTER_NETWORKS', expected, 'nothing');
  },
  ascending('CONTROL_STREAM_INITIAL_TIMEOUT', 'CONTROL_STREAM_IDLE_TIMEOUT', (values) => [
    values.streamInitialTimeoutMs,
    values.streamIdleTimeoutMs,
  ]),
  ascending('CONTROL_STREAM_IDLE_TIMEOUT', 'CONTROL_STREAM_LIFETIME', (values) => [
    values.streamIdleTimeoutMs,
    values.streamLifetimeMs,
  ]),
  ascending('CONTROL_STREAM_INITIAL_TIMEOUT', 'CONTROL_STREAM_LIFETIME', (values) => [
    values.streamInitialTimeoutMs,
    values.streamLifetimeMs,
  ]),
  ascending('IDENTITY_MIN_REFRESH', 'IDENTITY_MAX_REFRESH', (values) => [
    values.identityMinRefreshMs,
    values.identityMaxRefreshMs,
  ]),
  ascending('OUTBOUND_CONNECT_EXP_BACKOFF_MIN', 'OUTBOUND_CONNECT_EXP_BACKOFF_MAX', (values) => [
    values.backoffMinMs,
    values.backoffMaxMs,
  ]),
  (values, problem) => {
    if (values.outboundListens.length <= 2) return;
    const got = `${values.outboundListens.length} addresses`;
    problem('LINKERD2_PROXY_OUTBOUND_LISTEN_ADDRS', 'at most two addresses', got);
  },
  checkListeners,
  checkForwardNames,
];

/** Who this workload is. */
export function localIdentity(
  values: Pick<ProxySettings, 'identityLocalName' | 'identityServerId'>,
): WorkloadIdentity {
  const identity = values.identityLocalName ?? values.identityServerId;
  if (identity === undefined) throw new TypeError('expected settings that were checked');
  return identity;
}

/** Where the application's connections arrive, fixed listeners apart. */
export function outboundListenAddresses(
  values: Pick<ProxySettings, 'outboundListen' | 'outboundListens'>,
): readonly SocketAddress[] {
  return values.outboundListens.length > 0 ? values.outboundListens : [values.outboundListen];
}

function checkLocalName(...[values, problem]: Parameters<Rule>): void {
  const { identityLocalName, identityServerId, identityServerName } = values;
  if (identityLocalName !== undefined) return;
  if (identityServerId === undefined) {
    problem('LINKERD2_PROXY_IDENTITY_LOCAL_NAME', 'the name of this workload', 'nothing');
  } else if (identityServerName?.equals(identityServerId) !== true) {
    const got = identityServerName === undefined ? 'nothing' : `"${identityServerName.dnsName}"`;
    problem('LINKERD2_PROXY_IDENTITY_SERVER_NAME', `the server id, "${identityServerId.dnsName}"`, got);
  }
}

function named(
  service: string,
  read: (values: ProxySettings) => [address: SocketAddress, name: string | undefined],
): Rule {
  return (values, problem) => {
    const [address, name] = read(values);
    if (name !== undefined || isLoopback(address.host)) return;
    const expected = `the identity of ${formatSocketAddress(address)}, which only a loopback address may go without`;
    problem(`LINKERD2_PROXY_${service}_SVC_NAME`, expected, 'nothing');
  };
}

function ascending(
  low: string,
  high: string,
  read: (values: ProxySettings) => [low: number | undefined, high: number | undefined],
): Rule {
  return (values, problem) => {
    const [lowMs, highMs] = read(values);
    if (lowMs === undefined || highMs === undefined || lowMs <= highMs) return;
    problem(`LINKERD2_PROXY_${high}`, `at least LINKERD2_PROXY_${low}, ${lowMs} ms`, `${highMs} ms`);
  };
}

/** No two listeners on one address. Port 0 is another port each time. */
function checkListeners(...[values, problem]: Parameters<Rule>): void {
  const outbound = values.outboundListens.length > 0 ? 'OUTBOUND_LISTEN_ADDRS' : 'OUTBOUND_LISTEN_ADDR';
  const listeners: [name: string, address: SocketAddress][] = [
    ['LINKERD2_PROXY_ADMIN_LISTEN_ADDR', values.adminListen],
    ['LINKERD2_PROXY_INBOUND_LISTEN_ADDR', values.inboundListen],
    ...outboundListenAddresses(values).map(
      (address) => [`LINKERD2_PROXY_${outbound}`, address] as [string, SocketAddress],
    ),
    ...values.inboundForwards.map(
      ({ listen }) => ['KEDGE_PROXY_INBOUND_FORWARD', listen] as [string, SocketAddress],
    ),
    ...values.outboundForwards.map(
      ({ listen }) => ['KEDGE_PROXY_OUTBOUND_FORWARD', listen] as [string, SocketAddress],
    ),
  ];
  const taken: typeof listeners = [];
  for (const [name, address] of listeners.filter(([, { port }]) => port !== 0)) {
    const [other, theirs] = taken.find(([, each]) => overlap(each, address)) ?? [];
    if (theirs !== undefined) {
      const [text, as] = [formatSocketAddress(address), formatSocketAddress(theirs)];
      const where = text === as ? other : `${other} as ${as}`;
      problem(name, 'an address that no other listener has', `${text}, which is also in ${where}`);
    }
    taken.push([name, address]);
  }
  const targets: [name: string, target: SocketAddress][] = [
    ...values.inboundForwards.map(
      ({ target }) => ['KEDGE_PROXY_INBOUND_FORWARD', target] as [string, SocketAddress],
    ),
    ...values.outboundForwards.map(
      ({ target }) => ['KEDGE_PROXY_OUTBOUND_FORWARD', target] as [string, SocketAddress],
    ),
  ];
  for (const [name, target] of targets) {
    const text = formatSocketAddress(target);
    const [other] = taken.find(([, each]) => formatSocketAddress(each) === text) ?? [];
    if (other !== undefined)
      problem(name, 'targets other than this proxy itself', `${text}, which is in ${other}`);
  }
}

/** Whether one of them cannot be bound beside the other; `::` takes the IPv4 addresses with it. */
function overlap(a: SocketAddress, b: SocketAddress): boolean {
  const covers = (wide: string, host: string): boolean =>
    wide === host || wide === '::' || (wide === '0.0.0.0' && isIPv4(host));
  return a.port === b.port && (covers(a.host, b.host) || covers(b.host, a.host));
}

/** A name that may not be looked up could never be reached. */
function checkForwardNames(...[values, problem]: Parameters<Rule>): void {
  const scope = { suffixes: values.profileSuffixes, networks: undefined };
  for (const { target } of values.outboundForwards) {
    if (planLookup(target.host, scope) !== 'refuse') continue;
    const expected = 'targets below LINKERD2_PROXY_DESTINATION_PROFILE_SUFFIXES, or addresses';
    problem('KEDGE_PROXY_OUTBOUND_FORWARD', expected, `"${formatSocketAddress(target)}"`);
  }
}
