import type { WorkloadIdentity } from '../../pki/workload-identity.ts';
import { keyExchangeGroups } from '../../rpc/mesh-tls.ts';
import type { Check } from '../../runtime/env.ts';
import { checkListenerAddresses } from '../../runtime/listener-addresses.ts';
import type { ListenerAddress } from '../../runtime/listener-addresses.ts';
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
  (values, problem) => {
    if (values.tlsGroups.length > 0) return;
    problem('KEDGE_PROXY_TLS_GROUPS', `at least one of ${keyExchangeGroups.join(', ')}`, 'none');
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

/** No two listeners on one address, and no way from a forward back into this proxy. */
function checkListeners(...[values, problem]: Parameters<Rule>): void {
  const outbound = values.outboundListens.length > 0 ? 'OUTBOUND_LISTEN_ADDRS' : 'OUTBOUND_LISTEN_ADDR';
  const { inboundForwards, outboundForwards } = values;
  const listeners: readonly ListenerAddress[] = [
    ['LINKERD2_PROXY_ADMIN_LISTEN_ADDR', values.adminListen],
    ['LINKERD2_PROXY_INBOUND_LISTEN_ADDR', values.inboundListen],
    ...ofSetting(`LINKERD2_PROXY_${outbound}`, outboundListenAddresses(values)),
    ...ofSetting(
      'KEDGE_PROXY_INBOUND_FORWARD',
      inboundForwards.map(({ listen }) => listen),
    ),
    ...ofSetting(
      'KEDGE_PROXY_OUTBOUND_FORWARD',
      outboundForwards.map(({ listen }) => listen),
    ),
  ];
  checkListenerAddresses(listeners, problem);
  const targets = [
    ...ofSetting(
      'KEDGE_PROXY_INBOUND_FORWARD',
      inboundForwards.map(({ target }) => target),
    ),
    ...ofSetting(
      'KEDGE_PROXY_OUTBOUND_FORWARD',
      outboundForwards.map(({ target }) => target),
    ),
  ];
  for (const [name, target] of targets) {
    const text = formatSocketAddress(target);
    const [other] = listeners.find(([, each]) => each.port !== 0 && formatSocketAddress(each) === text) ?? [];
    if (other !== undefined)
      problem(name, 'targets other than this proxy itself', `${text}, which is in ${other}`);
  }
}

function ofSetting(name: string, addresses: readonly SocketAddress[]): ListenerAddress[] {
  return addresses.map((address) => [name, address]);
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
