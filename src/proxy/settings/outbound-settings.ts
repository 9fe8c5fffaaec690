import * as setting from '../../runtime/settings.ts';
import { forwardFormat, listenAddressFormat } from './forward-format.ts';

const positive = { min: 1 } as const;

/** What leaves this pod. */
export const outboundSettings = {
  outboundListen: setting.setting(
    {
      name: 'LINKERD2_PROXY_OUTBOUND_LISTEN_ADDR',
      help: 'Takes the connections that the application makes.',
      fallback: '127.0.0.1:4140',
    },
    listenAddressFormat,
  ),
  outboundListens: setting.list({
    name: 'LINKERD2_PROXY_OUTBOUND_LISTEN_ADDRS',
    help: 'Up to two addresses, in place of LINKERD2_PROXY_OUTBOUND_LISTEN_ADDR.',
    fallback: '',
    item: listenAddressFormat,
  }),
  outboundForwards: setting.list({
    name: 'KEDGE_PROXY_OUTBOUND_FORWARD',
    help: 'Listeners that stand for a target each, as listen=target.',
    fallback: '',
    item: forwardFormat,
  }),
  outboundConnectTimeoutMs: setting.proxyDuration({
    name: 'LINKERD2_PROXY_OUTBOUND_CONNECT_TIMEOUT',
    help: 'How long an endpoint may take to accept a connection, TLS included.',
    fallback: '1s',
    ...positive,
  }),
  outboundAcceptKeepAliveMs: setting.proxyDuration({
    name: 'LINKERD2_PROXY_OUTBOUND_ACCEPT_KEEPALIVE',
    help: 'Idle time before TCP asks whether the client is still there; never by default.',
    ...positive,
  }),
  outboundConnectKeepAliveMs: setting.proxyDuration({
    name: 'LINKERD2_PROXY_OUTBOUND_CONNECT_KEEPALIVE',
    help: 'Idle time before TCP asks whether the server is still there; never by default.',
    ...positive,
  }),
  outboundHoldTimeoutMs: setting.proxyDuration({
    name: 'KEDGE_PROXY_OUTBOUND_HOLD_TIMEOUT',
    help: 'How long a connection waits for an answer of the destination service, a ready endpoint or the first certificate before it is refused.',
    fallback: '10s',
    ...positive,
  }),
  outboundDiscoveryIdleMs: setting.proxyDuration({
    name: 'LINKERD2_PROXY_OUTBOUND_DISCOVERY_IDLE_TIMEOUT',
    help: 'How long a target is kept after its last connection.',
    fallback: '5s',
    ...positive,
  }),
  backoffMinMs: setting.proxyDuration({
    name: 'LINKERD2_PROXY_OUTBOUND_CONNECT_EXP_BACKOFF_MIN',
    help: 'The first wait after a failure, of an endpoint or of a control-plane service.',
    fallback: '100ms',
    ...positive,
  }),
  backoffMaxMs: setting.proxyDuration({
    name: 'LINKERD2_PROXY_OUTBOUND_CONNECT_EXP_BACKOFF_MAX',
    help: 'The longest wait after failures in a row.',
    fallback: '60s',
    ...positive,
  }),
  backoffJitter: setting.ratio({
    name: 'LINKERD2_PROXY_OUTBOUND_CONNECT_EXP_BACKOFF_JITTER',
    help: 'The share by which each wait is prolonged at random.',
    fallback: '0.1',
  }),
};
