import * as setting from '../../runtime/settings.ts';

const positive = { min: 1 } as const;

/** The services that tell this proxy what to do (contract 2.3). */
export const controlSettings = {
  destinationAddress: setting.socketAddress({
    name: 'LINKERD2_PROXY_DESTINATION_SVC_ADDR',
    help: 'Where the destination service listens.',
    required: true,
  }),
  destinationServiceName: setting.dnsName({
    name: 'LINKERD2_PROXY_DESTINATION_SVC_NAME',
    help: 'The identity that the destination service must prove; as LINKERD2_PROXY_IDENTITY_SVC_NAME.',
  }),
  destinationContext: setting.text({
    name: 'LINKERD2_PROXY_DESTINATION_CONTEXT',
    help: 'Sent with each lookup as it is, e.g. {"ns":"shop","pod":"api-0"}.',
    fallback: '',
  }),
  profileSuffixes: setting.list({
    name: 'LINKERD2_PROXY_DESTINATION_PROFILE_SUFFIXES',
    help: 'Names below these are looked up; "." is every name.',
    fallback: 'svc.cluster.local.',
    item: {
      expected: 'a DNS suffix',
      parse: (text: string) => (/^[a-z0-9.-]+$/i.test(text) ? text : undefined),
    },
  }),
  profileNetworks: setting.cidrs({
    name: 'LINKERD2_PROXY_DESTINATION_PROFILE_NETWORKS',
    help: 'Addresses in these networks are looked up, others pass through unchanged. Not set, every address is looked up.',
  }),
  policyAddress: setting.socketAddress({
    name: 'LINKERD2_PROXY_POLICY_SVC_ADDR',
    help: 'Where the policy service listens.',
    required: true,
  }),
  policyServiceName: setting.dnsName({
    name: 'LINKERD2_PROXY_POLICY_SVC_NAME',
    help: 'The identity that the policy service must prove; as LINKERD2_PROXY_IDENTITY_SVC_NAME.',
  }),
  policyWorkload: setting.text({
    name: 'LINKERD2_PROXY_POLICY_WORKLOAD',
    help: 'Names this workload to the policy service, e.g. {"ns":"shop","pod":"api-0"}.',
    required: true,
  }),
  clusterNetworks: setting.cidrs({
    name: 'LINKERD2_PROXY_POLICY_CLUSTER_NETWORKS',
    help: 'The networks that the default policies cluster-* and audit speak of.',
  }),
  streamInitialTimeoutMs: setting.proxyDuration({
    name: 'LINKERD2_PROXY_CONTROL_STREAM_INITIAL_TIMEOUT',
    help: 'The longest wait for the first answer of a stream; none by default, and none to loopback addresses.',
    ...positive,
  }),
  streamIdleTimeoutMs: setting.proxyDuration({
    name: 'LINKERD2_PROXY_CONTROL_STREAM_IDLE_TIMEOUT',
    help: 'A stream that is silent this long is opened anew.',
    ...positive,
  }),
  streamLifetimeMs: setting.proxyDuration({
    name: 'LINKERD2_PROXY_CONTROL_STREAM_LIFETIME',
    help: 'A stream that is open this long is opened anew.',
    ...positive,
  }),
};
