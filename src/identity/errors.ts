import { errorCatalogue } from '../runtime/errors.ts';

/** Why a certificate was not given, and what keeps the identity service from giving any. */
export const identityErrors = errorCatalogue({
  request_incomplete: {
    kind: 'invalid_argument',
    help: 'A request needs the identity, the token and the certificate signing request (contract 1.2). Check that the token file of the proxy is not empty.',
  },
  request_too_large: {
    kind: 'invalid_argument',
    help: 'A part of the request is longer than any honest one. Check what the proxy sends as its token and signing request.',
  },
  rate_limited: {
    kind: 'resource_exhausted',
    help: 'Wait as long as the answer says. If honest workloads meet this, raise KEDGE_RATE_TOTAL, KEDGE_RATE_PER_PEER or KEDGE_RATE_PER_SERVICE_ACCOUNT; the message says which.',
  },
  token_malformed: {
    kind: 'invalid_argument',
    help: 'What was sent as a token is not a signed JSON web token (RFC 7519). Check the token file of the proxy.',
  },
  token_refused: {
    kind: 'failed_precondition',
    help: 'The token is not one that this service accepts; the message says why. Compare its audience and issuer with KEDGE_TOKEN_AUDIENCE and KEDGE_TOKEN_ISSUER, and the clocks of both machines.',
  },
  subject_not_listed: {
    kind: 'failed_precondition',
    help: 'The token is genuine, but its subject has no line in KEDGE_TOKEN_SUBJECTS_FILE. Add it there if it is to have an identity.',
  },
  identity_mismatch: {
    kind: 'failed_precondition',
    help: 'The workload asked for another name than its token proves. Check LINKERD2_PROXY_IDENTITY_LOCAL_NAME of the proxy, and that control namespace and trust domain agree on both sides.',
  },
  csr_refused: {
    kind: 'failed_precondition',
    help: 'The signing request breaks the rule that the message names. Ask for a P-256 key with the DNS name of the workload (and, if wanted, its SPIFFE ID), and for nothing else.',
  },
  token_review_unavailable: {
    kind: 'unavailable',
    help: 'The API server could not be asked about the token; the message says why. It says nothing about the token: workloads come back by themselves.',
  },
  token_keys_unavailable: {
    kind: 'unavailable',
    help: 'The keys that verify tokens could not be had. Check KEDGE_TOKEN_JWKS_URL or KEDGE_TOKEN_JWKS_FILE; the log and /ready say what is wrong.',
  },
  subjects_unavailable: {
    kind: 'unavailable',
    help: 'The table of subjects has never been read. Check KEDGE_TOKEN_SUBJECTS_FILE; the log and /ready say what is wrong.',
  },
  jwks_malformed: {
    kind: 'failed_precondition',
    help: 'Give a JSON Web Key Set (RFC 7517) of public RSA, EC or Ed25519 keys. Until then the last good keys stay in use.',
  },
  jwks_unreachable: {
    kind: 'unavailable',
    help: 'The endpoint of the token keys does not answer as it should. Until it does, the last good keys stay in use.',
  },
  subjects_malformed: {
    kind: 'failed_precondition',
    help: 'Give a JSON object from token subject to "namespace/serviceaccount". Until then the last good table stays in use.',
  },
  anchors_missing: {
    kind: 'unavailable',
    help: 'The trust anchors have never been read. Check KEDGE_TRUST_ANCHORS_FILE or the ConfigMap of KEDGE_TRUST_ANCHORS_CONFIG_MAP or KEDGE_TRUST_BUNDLE_CONFIG_MAP; the log and /ready say what is wrong.',
  },
  bundle_not_current: {
    kind: 'unavailable',
    help: 'This replica has not read the newest trust bundle yet, and so copies it to no namespace. It mends itself; if it does not, look why the ConfigMap of the bundle is not followed.',
  },
  access_missing: {
    kind: 'permission_denied',
    help: 'The ServiceAccount of this process lacks the rights that the message names. Install them with the chart; the process starts by itself once they are there.',
  },
  caller_unauthenticated: {
    kind: 'unauthenticated',
    help: 'The trust-bundle stream is for workloads that have a certificate. Connect again after the first one was issued.',
  },
  caller_not_meshed: {
    kind: 'permission_denied',
    help: 'The caller has a certificate, but not one that names a workload of this mesh.',
  },
});
