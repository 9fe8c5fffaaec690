/** A definition that the chart has too. */
export const foreignName = 'networkauthentications.policy.linkerd.io';

/** It as another release has brought it into the cluster, unlike that of the chart. */
export const foreignDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: foreignName,
    labels: { 'app.kubernetes.io/managed-by': 'Helm' },
    annotations: {
      'meta.helm.sh/release-name': 'linkerd-crds',
      'meta.helm.sh/release-namespace': 'linkerd',
    },
  },
  spec: {
    group: 'policy.linkerd.io',
    scope: 'Namespaced',
    names: {
      kind: 'NetworkAuthentication',
      plural: 'networkauthentications',
      singular: 'networkauthentication',
    },
    versions: [
      { name: 'v1alpha1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
    ],
  },
};
