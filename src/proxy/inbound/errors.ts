import { errorCode, errorCatalogue } from '../../runtime/errors.ts';

/** Why an inbound connection was refused or cut. */
export const inboundErrors = errorCatalogue({
  inbound_not_ready: {
    kind: 'unavailable',
    help: 'The connection came before this proxy had its first certificate, and waited too long for it, or too many waited already. Check the identity service and the ServiceAccount token.',
  },
  inbound_crowded_out: {
    kind: 'resource_exhausted',
    help: 'So many clients were connected that had not shown yet who they are that one had to go, and this one had taken longest; or accepting paused for want of file descriptors, and it had taken more than a second. Somebody may be flooding the proxy.',
  },
  inbound_detect_timeout: {
    kind: 'deadline_exceeded',
    help: 'The client did not say within LINKERD2_PROXY_INBOUND_DETECT_TIMEOUT whether it speaks TLS. Where the server of the application speaks first, mark the port opaque.',
  },
  inbound_header_timeout: {
    kind: 'deadline_exceeded',
    help: 'A direct connection sent no whole transport header within LINKERD2_PROXY_INBOUND_DETECT_TIMEOUT. The peer proxy is overloaded or is none.',
  },
  inbound_destination_unknown: {
    kind: 'failed_precondition',
    help: 'It cannot be told where the connection was meant to go. Check the redirect rules of the pod.',
  },
  inbound_destination_foreign: {
    kind: 'permission_denied',
    help: "The connection was meant for an address that is not one of this pod's (LINKERD2_PROXY_INBOUND_IPS).",
  },
  inbound_loop: {
    kind: 'failed_precondition',
    help: "The connection was meant for the proxy's own inbound port, where no application can be.",
  },
  inbound_tls_required: {
    kind: 'unauthenticated',
    help: "Only other proxies may connect to the inbound port itself, by mesh TLS with this workload's name.",
  },
  inbound_identity_required: {
    kind: 'unauthenticated',
    help: 'A direct connection must be mutually authenticated, and the client proved no identity. Check that the client has a certificate.',
  },
  inbound_header_required: {
    kind: 'failed_precondition',
    help: 'A client connected to the inbound port itself without agreeing to send a transport header. It is no proxy of this mesh, or a very old one.',
  },
  inbound_gateway_unsupported: {
    kind: 'failed_precondition',
    help: 'A client took this proxy for a gateway to another target, which it is not. Check the authority that the destination service gives for this endpoint.',
  },
  inbound_denied: {
    kind: 'permission_denied',
    help: "The policy of the port does not let this client in. Compare the client's identity and address with the authorizations of the server.",
  },
  inbound_terminated: {
    kind: 'permission_denied',
    help: 'The policy of the port changed and no longer lets this client in.',
  },
  inbound_shut_down: {
    kind: 'cancelled',
    help: 'The proxy ended before the connection did. Nothing to do, or give it longer with LINKERD2_PROXY_SHUTDOWN_GRACE_PERIOD.',
  },
});

/** Names that the contract (8.3) has for some of our codes. */
const contractLabels: Readonly<Record<string, string>> = {
  inbound_detect_timeout: 'tls detection timeout',
  connection_reset: 'i/o',
};

/** The `error` label of `inbound_tcp_errors_total`: the contract's where it has one, else our code. */
export function inboundErrorLabel(cause: unknown): string {
  const code = errorCode(cause);
  return code === undefined ? 'unexpected' : (contractLabels[code] ?? code);
}
