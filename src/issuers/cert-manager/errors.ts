import { errorCatalogue } from '../../runtime/errors.ts';

/** Why cert-manager did not sign what it was asked for. */
export const certManagerErrors = errorCatalogue({
  certificate_request_refused: {
    kind: 'failed_precondition',
    help: 'The request was denied by an approver, is invalid to the issuer, or was not let into the cluster by an admission webhook, and would be so again; the message has the reason given. Let the policy of the approver (approver-policy: CertificateRequestPolicy) allow the names of the mesh, the usages "digital signature", "server auth" and "client auth", EC P-256 keys and the lifetime of KEDGE_ISSUANCE_LIFETIME.',
  },
  certificate_request_failed: {
    kind: 'unavailable',
    help: 'The issuer behind cert-manager could not sign; the message has its reason. Workloads come back, each time with a new request. Look at the issuer (`kubectl describe`), at its CA, and at the log of its controller.',
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
    kind: 'unavailable',
    help: 'As many CertificateRequests of the mesh wait already as KEDGE_CERT_MANAGER_MAX_REQUESTS allows. Workloads come back as they are told. If it lasts, look why cert-manager does not get on with them.',
  },
});
