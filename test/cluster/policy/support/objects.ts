const group = 'policy.linkerd.io';

/** The pod `web`, which nobody probes, and a Server of its port 8080. */
export const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', labels: { app: 'web' } },
  spec: { containers: [{ name: 'app', image: 'app', ports: [{ name: 'http', containerPort: 8080 }] }] },
};

export const server = (spec: object = {}, name = 'web') => ({
  apiVersion: `${group}/v1beta3`,
  kind: 'Server',
  metadata: { name },
  spec: { podSelector: { matchLabels: { app: 'web' } }, port: 8080, ...spec },
});

/** Lets in, at a Server, whom an authentication is of. */
export const authorizationPolicy = (
  name: string,
  { of: [kind, authentication], at = 'web' }: { of: readonly [kind: string, name: string]; at?: string },
) => ({
  apiVersion: `${group}/v1alpha1`,
  kind: 'AuthorizationPolicy',
  metadata: { name },
  spec: {
    targetRef: { group, kind: 'Server', name: at },
    requiredAuthenticationRefs: [{ group, kind, name: authentication }],
  },
});

export const meshAuthentication = (name: string, identities: readonly string[]) => ({
  apiVersion: `${group}/v1alpha1`,
  kind: 'MeshTLSAuthentication',
  metadata: { name },
  spec: { identities },
});

export const networkAuthentication = (name: string, cidr: string) => ({
  apiVersion: `${group}/v1alpha1`,
  kind: 'NetworkAuthentication',
  metadata: { name },
  spec: { networks: [{ cidr }] },
});

export const serverAuthorization = (name: string, identities: readonly string[]) => ({
  apiVersion: `${group}/v1beta1`,
  kind: 'ServerAuthorization',
  metadata: { name },
  spec: { server: { name: 'web' }, client: { meshTLS: { identities } } },
});
