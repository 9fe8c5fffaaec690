import { errorCatalogue } from '../runtime/errors.ts';

/** What can go wrong with the API server, and what an operator does about it. */
export const kubeErrors = errorCatalogue({
  kube_config_invalid: {
    kind: 'failed_precondition',
    help: 'Correct the kubeconfig file, or run the process in a pod whose ServiceAccount token is mounted (automountServiceAccountToken).',
  },
  kube_unreachable: {
    kind: 'unavailable',
    help: 'The API server did not answer, or the connection broke. What is known of its objects stays in use; it is asked again by itself. Look whether it runs and whether network policies let this pod reach it.',
  },
  kube_untrusted: {
    kind: 'unavailable',
    help: 'The certificate of the API server is not signed by the CA of the kubeconfig or of the ServiceAccount, has ended, or names another host. Correct certificate-authority or tls-server-name.',
  },
  kube_unauthenticated: {
    kind: 'unauthenticated',
    help: 'The API server does not take the credentials, which were read anew before this was said. Look whether the ServiceAccount or the user still exists and whether the token has ended.',
  },
  kube_forbidden: {
    kind: 'permission_denied',
    help: 'Give the ServiceAccount the right named in the message; the chart has every rule that is needed. It is tried again by itself.',
  },
  kube_not_found: {
    kind: 'not_found',
    help: 'The object, its namespace or its kind is not there. Where the kind is missing, install its definition: the chart has it, and leaves it out of `helm template` unless crds.install is always.',
  },
  kube_exists: {
    kind: 'failed_precondition',
    help: 'An object of this name was there already.',
  },
  kube_conflict: {
    kind: 'failed_precondition',
    help: 'The object was changed by somebody else meanwhile, or a field belongs to another manager. Look at managedFields for who writes it too.',
  },
  kube_expired: {
    kind: 'failed_precondition',
    help: 'The API server no longer has the history that was asked for; everything is listed anew by itself.',
  },
  kube_invalid: {
    kind: 'invalid_argument',
    help: 'The API server or an admission webhook refused the object; the message says why.',
  },
  kube_throttled: {
    kind: 'resource_exhausted',
    help: 'The API server has too much to do; it is asked again after the time it named. Look at its priority levels if this goes on.',
  },
  kube_unavailable: {
    kind: 'unavailable',
    help: 'The API server answered that it cannot serve. It is asked again by itself; look at its log and at etcd if this goes on.',
  },
  kube_late: {
    kind: 'deadline_exceeded',
    help: 'The API server gave no whole answer in time. It is asked again by itself; look at its load and at the network between.',
  },
  kube_answer_invalid: {
    kind: 'internal',
    help: 'What came is no answer of a Kubernetes API server. Look whether a proxy stands between, and whether the address is right.',
  },
  kube_answer_too_large: {
    kind: 'resource_exhausted',
    help: 'An answer was larger than any should be, and was not read to its end. Look for objects of enormous size.',
  },
});
