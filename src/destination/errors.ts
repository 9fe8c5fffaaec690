import { errorCatalogue } from '../runtime/errors.ts';

/** What the destination process refuses, and what an operator or a caller does about it. */
export const destinationErrors = errorCatalogue({
  target_invalid: {
    kind: 'invalid_argument',
    help: 'Ask for host:port, where the port is 1 to 65535 (80 when left out) and an IPv6 address stands in brackets.',
  },
  target_is_address: {
    kind: 'invalid_argument',
    help: 'Get takes names only. Look an address up with GetProfile, and follow the name or the endpoint it gives.',
  },
  target_outside_cluster: {
    kind: 'invalid_argument',
    help: 'Names must end in svc.<KEDGE_CLUSTER_DOMAIN>. Check that the proxies and this process agree on the cluster domain.',
  },
  workload_invalid: {
    kind: 'invalid_argument',
    help: 'Send the workload as {"ns": "...", "pod": "..."} or as namespace:pod, with a port from 1 to 65535.',
  },
  target_follows_profile: {
    kind: 'not_found',
    help: 'Nothing is wrong: only services have an outbound policy. The proxy goes by the profile of the target.',
  },
  workload_unknown: {
    kind: 'not_found',
    help: 'Add the workload to the destination file, or see whether the cluster has the pod; else correct LINKERD2_PROXY_POLICY_WORKLOAD of its proxy.',
  },
  client_unauthenticated: {
    kind: 'unauthenticated',
    help: 'KEDGE_DESTINATION_CLIENTS is "meshed": the caller must present its workload certificate.',
  },
  client_not_meshed: {
    kind: 'permission_denied',
    help: 'The caller has a certificate, but not one that names a workload of this mesh. Check its control namespace and trust domain.',
  },
  file_invalid: {
    kind: 'failed_precondition',
    help: 'Correct the destination file at the lines named. Until then the last good content stays in use.',
  },
});
