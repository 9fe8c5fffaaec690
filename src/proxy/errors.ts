import { errorCatalogue } from '../runtime/errors.ts';

/** Why a connection was not made or not carried on; the codes are also values of the `error` label of metrics. */
export const proxyErrors = errorCatalogue({
  mesh_wrong_identity: {
    kind: 'permission_denied',
    help: 'The peer proved to be another workload than the one asked for. Compare the identity that the destination service gives with the ServiceAccount of the pod at that address.',
  },
  mesh_untrusted: {
    kind: 'unauthenticated',
    help: "The peer's certificate does not lead to our trust anchors, or breaks a rule of its chain; the message says which. Compare the trust bundles of both sides.",
  },
  mesh_expired: {
    kind: 'unauthenticated',
    help: "A certificate of the peer's chain is past its end or not valid yet. Look at the certifier of that proxy and at the clocks of both sides.",
  },
  mesh_tls_version: {
    kind: 'failed_precondition',
    help: 'The peer does not speak TLS 1.3, and nothing older is spoken here.',
  },
  mesh_alpn: {
    kind: 'failed_precondition',
    help: 'The peer did not agree to the transport header protocol, which direct connections need. Check the inbound port that the destination service gives for it.',
  },
  mesh_handshake_failed: {
    kind: 'unavailable',
    help: 'TLS with the peer failed; the message holds the reason OpenSSL gave.',
  },
  mesh_timeout: {
    kind: 'deadline_exceeded',
    help: 'The client began TLS with us and did not finish it within the detect timeout. It is overloaded, or holds connections open on purpose.',
  },
  mesh_no_certificate: {
    kind: 'unavailable',
    help: 'This proxy has no certificate yet. Check the identity service and the ServiceAccount token.',
  },
  connect_timeout: {
    kind: 'deadline_exceeded',
    help: 'The other side did not take the connection, TLS included, within the connect timeout.',
  },
  connect_refused: {
    kind: 'unavailable',
    help: 'Nothing listens at the address. Check that the application or the peer proxy runs there.',
  },
  connect_failed: {
    kind: 'unavailable',
    help: 'The network did not let the connection through; the message holds the reason.',
  },
  connection_reset: {
    kind: 'unavailable',
    help: 'The other side cut the connection. A peer proxy does so when it does not accept our certificate.',
  },
  read_timeout: {
    kind: 'deadline_exceeded',
    help: 'The client did not say enough within the detect timeout. A protocol in which the server speaks first needs its port to be marked opaque.',
  },
  header_missing: {
    kind: 'invalid_argument',
    help: 'A direct connection did not begin with a transport header.',
  },
  header_malformed: {
    kind: 'invalid_argument',
    help: 'The transport header of a direct connection breaks a rule; the message says which.',
  },
});
