import { errorCatalogue } from '../../runtime/errors.ts';

/** Why cert-manager did not sign what it was asked for. */
export const certManagerErrors = errorCatalogue({
  certificate_request_refused: {
    kind: 'failed_precondition',
    help: 'The request was denied by an approver, is invalid to the issuer, or was not let into the cluster by an admission webhook, and would be so again; the message has the reason given. Let the policy of the approver (approver-policy: CertificateRequestPolicy) allow the names of the mesh, the usages "digital signature", "server auth" and "client auth", EC P-256 keys and the lifetime of KEDGE_ISSUANCE_LIFETIME.',
  },
  certificate_request_failed: {
    kind: 'unavailable',
    help: 'The issuer behind cert-manager failed this request; the message has its reason. Others may well be signed, so it is not counted against the CA. Workloads come back, each time with a new request. Look at what the CA allows for the names in the message or the log, and at the log of the controller of the issuer.',
  },
  certificate_requests_failing: {
    kind: 'unavailable',
    help: 'The issuer behind cert-manager failed the requests of three workloads or more and has signed none since, so it counts as an outage of the CA; the message has the last reason. Look at the issuer (`kubectl describe`), at its CA, and at the log of its controller.',
  },
  certificate_request_pending: {
    kind: 'unavailable',
    help: 'Nobody decided on the request in time; the message says what it waits for: approval (is there an approver for this issuer?), an issuer that is not ready or not there (KEDGE_CERT_MANAGER_ISSUER_*), or a controller that does not run or is behind. The request stays for a while: whoever asks again with the same key, as proxies do, takes it up, however long signing takes within a minute.',
  },
  certificate_request_not_made: {
    kind: 'unavailable',
    help: 'The API server did not take the request, or does not let it be followed; the message has its answer. Look whether the CRDs and the webhook of cert-manager are there and well, and whether the ServiceAccount may create, get, list, watch and delete certificaterequests in the control namespace.',
  },
  certificate_requests_full: {
    kind: 'resource_exhausted',
    help: 'As many CertificateRequests of the mesh wait already as KEDGE_CERT_MANAGER_MAX_REQUESTS allows. Others wait for room for half of KEDGE_ISSUER_TIMEOUT, and are told to come back later then (`issuer_overloaded`). It is never counted against the CA. If it lasts, look why cert-manager does not get on with them.',
  },
});
