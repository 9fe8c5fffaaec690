import * as setting from '../../runtime/settings.ts';
import { forwardFormat, ipAddressFormat, listenAddressFormat } from './forward-format.ts';

const defaultPolicies = [
  'all-unauthenticated',
  'all-authenticated',
  'cluster-unauthenticated',
  'cluster-authenticated',
  'deny',
  'audit',
] as const;

const positive = { min: 1 } as const;

/** What reaches this pod. */
export const inboundSettings = {
  inboundListen: setting.setting(
    {
      name: 'LINKERD2_PROXY_INBOUND_LISTEN_ADDR',
      help: 'Takes connections from other proxies and redirected ones.',
      fallback: '0.0.0.0:4143',
    },
    listenAddressFormat,
  ),
  inboundForwards: setting.list({
    name: 'KEDGE_PROXY_INBOUND_FORWARD',
    help: 'Listeners that stand for a port of the application each, as listen=target.',
    fallback: '',
    item: forwardFormat,
  }),
  inboundDefaultPolicy: setting.oneOf({
    name: 'LINKERD2_PROXY_INBOUND_DEFAULT_POLICY',
    help: 'Holds for a port until the policy service has answered for it.',
    fallback: 'all-unauthenticated',
    values: defaultPolicies,
  }),
  inboundPorts: setting.portSet({
    name: 'LINKERD2_PROXY_INBOUND_PORTS',
    help: 'Ports whose policy is asked for from the start.',
    fallback: '',
  }),
  inboundOpaquePorts: setting.portSet({
    name: 'LINKERD2_PROXY_INBOUND_PORTS_DISABLE_PROTOCOL_DETECTION',
    help: 'Ports where TLS is not looked for until the policy service says otherwise.',
    fallback: '',
  }),
  inboundAddresses: setting.list({
    name: 'LINKERD2_PROXY_INBOUND_IPS',
    help: "This pod's addresses: inbound connections must be for one of them, and outbound ones to them stay in the pod in plaintext.",
    fallback: '',
    item: ipAddressFormat,
  }),
  inboundDetectTimeoutMs: setting.proxyDuration({
    name: 'LINKERD2_PROXY_INBOUND_DETECT_TIMEOUT',
    help: 'How long a client may take to show whether it speaks TLS, and to send its transport header.',
    fallback: '10s',
    ...positive,
  }),
  inboundConnectTimeoutMs: setting.proxyDuration({
    name: 'LINKERD2_PROXY_INBOUND_CONNECT_TIMEOUT',
    help: 'How long the application may take to accept a connection.',
    fallback: '300ms',
    ...positive,
  }),
  inboundAcceptKeepAliveMs: setting.proxyDuration({
    name: 'LINKERD2_PROXY_INBOUND_ACCEPT_KEEPALIVE',
    help: 'Idle time before TCP asks whether the client is still there; never by default.',
    ...positive,
  }),
  inboundConnectKeepAliveMs: setting.proxyDuration({
    name: 'LINKERD2_PROXY_INBOUND_CONNECT_KEEPALIVE',
    help: 'Idle time before TCP asks whether the server is still there; never by default.',
    ...positive,
  }),
  inboundDiscoveryIdleMs: setting.proxyDuration({
    name: 'LINKERD2_PROXY_INBOUND_DISCOVERY_IDLE_TIMEOUT',
    help: 'How long the policy of a port is kept after its last connection.',
    fallback: '90s',
    ...positive,
  }),
};
