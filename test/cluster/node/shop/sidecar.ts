/** What tells the sidecar of one workload from that of another. */
export interface SidecarPlan {
  /** Ports of the application, whose policy is asked for from the start. */
  readonly inboundPorts: readonly number[];
  /** Addresses of its own pod that stand for targets elsewhere, such as `127.0.0.1:8001=api.shop.svc.cluster.local:80`. */
  readonly outboundForwards?: readonly string[];
}

const control = 'kedge';
const domain = 'cluster.local';
const tokens = '/var/run/secrets/tokens';
const identityOf = (account: string): string =>
  `${account}.${control}.serviceaccount.identity.${control}.${domain}`;
const serviceAt = (name: string, port: number): string => `${name}.${control}.svc.${domain}:${port}`;
const literal = (name: string, value: string) => ({ name, value });
const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });

/** Labels of a pod that carries a sidecar. */
export const meshedLabels = { 'linkerd.io/control-plane-ns': control };

/** The proxy as it stands in a pod's manifest: up before the application, and there until that has ended. */
export const sidecar = (plan: SidecarPlan) => ({
  name: 'linkerd-proxy',
  image: 'kedge:local',
  imagePullPolicy: 'Never',
  args: ['proxy'],
  restartPolicy: 'Always',
  env: [
    field('_pod_name', 'metadata.name'),
    field('_pod_ns', 'metadata.namespace'),
    field('_pod_sa', 'spec.serviceAccountName'),
    field('_pod_node', 'spec.nodeName'),
    ...identitySettings,
    ...controlPlaneSettings,
    ...trafficSettings(plan),
  ],
  ports: [
    { name: 'linkerd-proxy', containerPort: 4143 },
    { name: 'linkerd-admin', containerPort: 4191 },
  ],
  startupProbe: {
    httpGet: { path: '/ready', port: 4191 },
    periodSeconds: 1,
    timeoutSeconds: 5,
    failureThreshold: 120,
  },
  readinessProbe: { httpGet: { path: '/ready', port: 4191 }, periodSeconds: 2, timeoutSeconds: 5 },
  securityContext: {
    runAsUser: 2102,
    runAsNonRoot: true,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
  volumeMounts: [{ name: 'identity-token', mountPath: tokens, readOnly: true }],
});

/** The volume that a sidecar reads its token from. */
export const tokenVolume = {
  name: 'identity-token',
  projected: {
    sources: [
      {
        serviceAccountToken: {
          path: 'identity-token',
          audience: 'identity.l5d.io',
          expirationSeconds: 86_400,
        },
      },
    ],
  },
};

const identitySettings = [
  {
    name: 'LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS',
    valueFrom: { configMapKeyRef: { name: 'kedge-trust-bundle', key: 'ca-bundle.crt' } },
  },
  literal(
    'LINKERD2_PROXY_IDENTITY_LOCAL_NAME',
    `$(_pod_sa).$(_pod_ns).serviceaccount.identity.${control}.${domain}`,
  ),
  literal('LINKERD2_PROXY_IDENTITY_TOKEN_FILE', `${tokens}/identity-token`),
  literal('LINKERD2_PROXY_IDENTITY_SVC_ADDR', serviceAt('kedge-identity', 8080)),
  literal('LINKERD2_PROXY_IDENTITY_SVC_NAME', identityOf('kedge-identity')),
];

const controlPlaneSettings = [
  literal('LINKERD2_PROXY_DESTINATION_SVC_ADDR', serviceAt('kedge-destination', 8086)),
  literal('LINKERD2_PROXY_DESTINATION_SVC_NAME', identityOf('kedge-destination')),
  literal(
    'LINKERD2_PROXY_DESTINATION_CONTEXT',
    '{"ns":"$(_pod_ns)","nodeName":"$(_pod_node)","pod":"$(_pod_name)"}',
  ),
  literal('LINKERD2_PROXY_POLICY_SVC_ADDR', serviceAt('kedge-policy', 8090)),
  literal('LINKERD2_PROXY_POLICY_SVC_NAME', identityOf('kedge-destination')),
  literal('LINKERD2_PROXY_POLICY_WORKLOAD', '{"ns":"$(_pod_ns)","pod":"$(_pod_name)"}'),
];

const trafficSettings = ({ inboundPorts, outboundForwards = [] }: SidecarPlan) => [
  literal('LINKERD2_PROXY_INBOUND_LISTEN_ADDR', '0.0.0.0:4143'),
  literal('LINKERD2_PROXY_INBOUND_PORTS', inboundPorts.join()),
  field('LINKERD2_PROXY_INBOUND_IPS', 'status.podIPs'),
  literal('LINKERD2_PROXY_INBOUND_DEFAULT_POLICY', 'deny'),
  literal('LINKERD2_PROXY_INBOUND_CONNECT_TIMEOUT', '5s'),
  literal('LINKERD2_PROXY_OUTBOUND_CONNECT_TIMEOUT', '5s'),
  literal('LINKERD2_PROXY_ADMIN_LISTEN_ADDR', '0.0.0.0:4191'),
  literal('LINKERD2_PROXY_SHUTDOWN_GRACE_PERIOD', '5s'),
  literal('KEDGE_PROXY_OUTBOUND_FORWARD', outboundForwards.join()),
];
