import { errorCatalogue } from '../../runtime/errors.ts';

/**
 * Why an outbound connection was refused before an endpoint was dialled (`proxyErrors` has the rest). The code is also
 * the `error` label of `outbound_tcp_errors_total`.
 */
export const outboundErrors = errorCatalogue({
  outbound_loop: {
    kind: 'failed_precondition',
    help: 'The connection was made to the proxy itself, or its original destination is not known. Connect to the service, or to a listener of KEDGE_PROXY_OUTBOUND_FORWARD.',
  },
  outbound_not_looked_up: {
    kind: 'failed_precondition',
    help: 'The name is outside LINKERD2_PROXY_DESTINATION_PROFILE_SUFFIXES, so nothing says where it is. Add its suffix, or forward to an address.',
  },
  outbound_discovery_silent: {
    kind: 'unavailable',
    help: 'The destination service has not answered for this target yet, so it is not known whether the peer must be authenticated. Check that the destination service runs and that this proxy reaches it.',
  },
  outbound_discovery_refused: {
    kind: 'failed_precondition',
    help: 'The destination service will not answer for this target; its message is in the log. Check the name and the port.',
  },
  outbound_profile_empty: {
    kind: 'failed_precondition',
    help: 'The destination service knows the target but has nothing to send its connections to. Check that the port is one of the service.',
  },
  outbound_no_such_target: {
    kind: 'not_found',
    help: 'The destination service says that the target does not exist. Check the name, and that the service is deployed.',
  },
  outbound_no_endpoints: {
    kind: 'unavailable',
    help: 'The target exists and has no endpoint that is ready. Check its pods.',
  },
  outbound_identity_unusable: {
    kind: 'failed_precondition',
    help: 'The destination service names an identity for the endpoint that can never be proven, and sending plaintext instead is not an option. Correct it where the destination service has it from.',
  },
});
