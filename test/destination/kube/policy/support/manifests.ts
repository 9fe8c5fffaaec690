import type { ObjectMeta } from '../../../../../src/kube/kube-object.ts';
import type { Manifest } from './policy-cluster.ts';

type Meta = Partial<ObjectMeta>;

export const shop: Manifest = { kind: 'Namespace', metadata: { name: 'shop' } };

/** A pod of the namespace `shop` with a port 8080 named `http`, on node `n1`. */
export function pod(parts: { metadata?: Meta; spec?: object; status?: object } = {}): Manifest {
  return {
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' }, ...parts.metadata },
    spec: {
      nodeName: 'n1',
      containers: [{ name: 'app', ports: [{ name: 'http', containerPort: 8080 }] }],
      ...parts.spec,
    },
    status: { podIPs: [{ ip: '10.1.0.7' }], hostIPs: [{ ip: '192.0.2.1' }], ...parts.status },
  };
}

/** An object of `shop`; a Server is one of 2026-01-01 for the port 8080 of `app: web` unless more is given. */
export function server(spec: unknown = {}, metadata: Meta = {}): Manifest {
  const whole = isFields(spec) ? { podSelector: { matchLabels: { app: 'web' } }, port: 8080, ...spec } : spec;
  return {
    kind: 'Server',
    metadata: { name: 'web', namespace: 'shop', creationTimestamp: '2026-01-01T00:00:00Z', ...metadata },
    spec: whole,
  };
}

export function object(kind: string, name: string, spec: unknown, metadata: Meta = {}): Manifest {
  return { kind, metadata: { name, namespace: 'shop', ...metadata }, spec };
}

/** An AuthorizationPolicy `p` for the Server `web`. */
export function policy(refs: unknown, target: unknown = serverRef): Manifest {
  return object('AuthorizationPolicy', 'p', { targetRef: target, requiredAuthenticationRefs: refs });
}

const group = 'policy.linkerd.io';

export const serverRef = { group, kind: 'Server', name: 'web' };
export const meshRef = { group, kind: 'MeshTLSAuthentication', name: 'clients' };
export const networkRef = { group, kind: 'NetworkAuthentication', name: 'nets' };

function isFields(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
