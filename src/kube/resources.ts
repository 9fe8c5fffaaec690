import type { Resource } from './resource.ts';

/** Every kind of object that Kedge reads or writes. */
export const pods = namespaced('', 'v1', 'pods', 'Pod');
export const services = namespaced('', 'v1', 'services', 'Service');
export const serviceAccounts = namespaced('', 'v1', 'serviceaccounts', 'ServiceAccount');
export const secrets = namespaced('', 'v1', 'secrets', 'Secret');
export const configMaps = namespaced('', 'v1', 'configmaps', 'ConfigMap');
export const namespaces = clusterWide('', 'v1', 'namespaces', 'Namespace');
export const nodes = clusterWide('', 'v1', 'nodes', 'Node');
export const endpointSlices = namespaced('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice');
export const events = namespaced('events.k8s.io', 'v1', 'events', 'Event');

/** Only asked, never kept. */
export const tokenReviews = clusterWide('authentication.k8s.io', 'v1', 'tokenreviews', 'TokenReview');
export const selfSubjectAccessReviews = clusterWide(
  'authorization.k8s.io',
  'v1',
  'selfsubjectaccessreviews',
  'SelfSubjectAccessReview',
);
export const subjectAccessReviews = clusterWide(
  'authorization.k8s.io',
  'v1',
  'subjectaccessreviews',
  'SubjectAccessReview',
);
export const selfSubjectReviews = clusterWide(
  'authentication.k8s.io',
  'v1',
  'selfsubjectreviews',
  'SelfSubjectReview',
);

export const externalWorkloads: Resource = {
  ...namespaced('workload.linkerd.io', 'v1beta1', 'externalworkloads', 'ExternalWorkload'),
  olderVersions: ['v1alpha1'],
};

export const certificateRequests = namespaced(
  'cert-manager.io',
  'v1',
  'certificaterequests',
  'CertificateRequest',
);

export const certificates = namespaced('cert-manager.io', 'v1', 'certificates', 'Certificate');
export const issuers = namespaced('cert-manager.io', 'v1', 'issuers', 'Issuer');
export const clusterIssuers = clusterWide('cert-manager.io', 'v1', 'clusterissuers', 'ClusterIssuer');
/** Only a word in RBAC rules: whose requests somebody may approve. */
export const signers = clusterWide('cert-manager.io', 'v1', 'signers', 'Signer');

const policyGroup = 'policy.linkerd.io';
export const servers: Resource = {
  ...namespaced(policyGroup, 'v1beta3', 'servers', 'Server'),
  olderVersions: ['v1beta2', 'v1beta1', 'v1alpha1'],
};
export const serverAuthorizations: Resource = {
  ...namespaced(policyGroup, 'v1beta1', 'serverauthorizations', 'ServerAuthorization'),
  olderVersions: ['v1alpha1'],
};
export const authorizationPolicies = namespaced(
  policyGroup,
  'v1alpha1',
  'authorizationpolicies',
  'AuthorizationPolicy',
);
export const meshTlsAuthentications = namespaced(
  policyGroup,
  'v1alpha1',
  'meshtlsauthentications',
  'MeshTLSAuthentication',
);
export const networkAuthentications = namespaced(
  policyGroup,
  'v1alpha1',
  'networkauthentications',
  'NetworkAuthentication',
);
/** Read only to say that they are not honoured. */
export const policyHttpRoutes: Resource = {
  ...namespaced(policyGroup, 'v1beta3', 'httproutes', 'HTTPRoute'),
  olderVersions: ['v1beta2', 'v1beta1', 'v1alpha1'],
};
const gatewayGroup = 'gateway.networking.k8s.io';
export const gatewayHttpRoutes: Resource = {
  ...namespaced(gatewayGroup, 'v1', 'httproutes', 'HTTPRoute'),
  olderVersions: ['v1beta1', 'v1alpha2'],
};
export const gatewayGrpcRoutes: Resource = {
  ...namespaced(gatewayGroup, 'v1', 'grpcroutes', 'GRPCRoute'),
  olderVersions: ['v1alpha2'],
};

function namespaced(group: string, version: string, plural: string, kind: string): Resource {
  return { group, version, plural, kind, namespaced: true };
}

function clusterWide(group: string, version: string, plural: string, kind: string): Resource {
  return { group, version, plural, kind, namespaced: false };
}
