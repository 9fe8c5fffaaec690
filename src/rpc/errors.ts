import { errorCatalogue } from '../runtime/errors.ts';

/** What can go wrong between two processes; the `rpc_` codes are the other side's gRPC status (see status.ts). */
export const rpcErrors = errorCatalogue({
  rpc_cancelled: {
    kind: 'cancelled',
    help: 'The call was given up by one side. Nothing to do, unless it happens all the time.',
  },
  rpc_unknown: {
    kind: 'internal',
    help: 'The other side failed without saying how. Read its log at the same time.',
  },
  rpc_invalid_argument: {
    kind: 'invalid_argument',
    help: 'The other side refuses the request as it stands; the message says which part. Trying again does not help.',
  },
  rpc_deadline_exceeded: {
    kind: 'deadline_exceeded',
    help: 'No answer came in time. Look whether the other side is overloaded or waits for something itself.',
  },
  rpc_not_found: {
    kind: 'not_found',
    help: 'The other side does not know what was asked for, perhaps not yet. It is asked again.',
  },
  rpc_permission_denied: {
    kind: 'permission_denied',
    help: 'The other side knows the caller and does not let it do this. Look at its policy.',
  },
  rpc_resource_exhausted: {
    kind: 'resource_exhausted',
    help: 'A limit of the other side was hit: a rate, a size or a number of streams. The message says which.',
  },
  rpc_failed_precondition: {
    kind: 'failed_precondition',
    help: 'The other side refuses until something changes; the message says what.',
  },
  rpc_unimplemented: {
    kind: 'internal',
    help: 'The other side does not have this call: it is of another version, or the address names another service.',
  },
  rpc_internal: {
    kind: 'internal',
    help: 'The other side has a fault. Read its log at the same time.',
  },
  rpc_unavailable: {
    kind: 'unavailable',
    help: 'The other side cannot be reached or is stopping. It is tried again; look at its pods, its Service and, where the message names a certificate, at the trust anchors of both sides.',
  },
  rpc_unauthenticated: {
    kind: 'unauthenticated',
    help: 'The other side does not know who is calling. Look at the client certificate or the token.',
  },
  message_malformed: {
    kind: 'invalid_argument',
    help: 'The bytes are not the protobuf message they should be. Sender and receiver speak different versions, or something between them changed the bytes.',
  },
  answer_malformed: {
    kind: 'internal',
    help: 'The other side answered with bytes that are not the protobuf message they should be. It speaks another version, or something between changed the bytes. It is asked again.',
  },
  stream_stalled: {
    kind: 'resource_exhausted',
    help: 'The reader of a stream did not take its messages for too long. It may open the stream again; look at its CPU and network.',
  },
  server_stopping: {
    kind: 'unavailable',
    help: 'The server is stopping. Clients reach another replica or come back by themselves.',
  },
  server_name_missing: {
    kind: 'invalid_argument',
    help: 'Only a loopback address may be dialled without a TLS name. Set the name the server must prove to have.',
  },
  peer_untrusted: {
    kind: 'unauthenticated',
    help: "The peer's certificate does not chain to our trust anchors or is not valid now. Compare the trust bundles of both sides.",
  },
  peer_unexpected: {
    kind: 'unauthenticated',
    help: 'The peer proved to be someone else than the one dialled. The address leads to the wrong workload, or its identity was changed.',
  },
  handshake_timeout: {
    kind: 'unavailable',
    help: 'The peer took the connection and did not finish TLS in time. It is tried again.',
  },
  certificate_refused: {
    kind: 'failed_precondition',
    help: 'The identity service answered with a certificate that cannot be used; the message says why. Look at its issuer and at the trust anchors of both sides.',
  },
  token_unreadable: {
    kind: 'failed_precondition',
    help: 'The ServiceAccount token cannot be read. Look at the path in the message and at the projected volume behind it.',
  },
});
