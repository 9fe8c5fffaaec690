import { readFileSync } from 'node:fs';
import path from 'node:path';
import { application, programsVolume } from '../shop/application.ts';
import { meshedLabels, sidecar, tokenVolume } from '../shop/sidecar.ts';

export const namespace = 'probes';

/** A meshed pod whose kubelet asks its three ports through the sidecar, and what its annotations say. */
export interface ProbedPod {
  readonly name: string;
  readonly policy: string;
  /** `config.kedge.io/probe-authorization`, if it is there. */
  readonly probes?: string;
}

/** Ports of the pod: the sidecar listens on them at the pod's address, the application at its loopback. */
export const ports = { http: 8080, tcp: 8081, grpc: 8082 } as const;

const programs = ['probed.ts', 'neighbour.ts'];

/** The pods, and `neighbour`, which has no sidecar and asks them when told. */
export function probeObjects(pods: readonly ProbedPod[]): object {
  const items = [configMap(), neighbour, ...pods.map(probedPod)];
  return { apiVersion: 'v1', kind: 'List', items };
}

const configMap = () => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name: 'programs' },
  data: Object.fromEntries(
    programs.map((name) => [name, readFileSync(path.join(import.meta.dirname, name), 'utf8')]),
  ),
});

const probedPod = ({ name, policy, probes }: ProbedPod) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    namespace,
    name,
    labels: meshedLabels,
    annotations: {
      'config.kedge.io/default-inbound-policy': policy,
      ...(probes !== undefined && { 'config.kedge.io/probe-authorization': probes }),
    },
  },
  spec: {
    initContainers: [forwardingSidecar()],
    containers: [
      {
        ...application({ program: 'probed.ts' }),
        name: 'http',
        readinessProbe: probe({ httpGet: { path: '/', port: ports.http } }),
      },
      // A container has one probe of a kind, so the other two ports get a container each that asks for them.
      { ...idle, name: 'tcp', readinessProbe: probe({ tcpSocket: { port: ports.tcp } }) },
      { ...idle, name: 'grpc', readinessProbe: probe({ grpc: { port: ports.grpc } }) },
    ],
    volumes: [tokenVolume, programsVolume],
    terminationGracePeriodSeconds: 1,
  },
});

const probe = (how: object) => ({ ...how, periodSeconds: 1, timeoutSeconds: 10, failureThreshold: 1 });

const idle = { image: 'kedge:local', imagePullPolicy: 'Never', command: ['sleep', 'infinity'] };

/** Stands at the probed ports itself, as a redirect would make it, so that policy is asked about those very ports. */
function forwardingSidecar() {
  const each = Object.values(ports);
  const plain = sidecar({ inboundPorts: each });
  const forwards = each.map((port) => `$(_pod_ip):${port}=127.0.0.1:${port}`);
  return {
    ...plain,
    env: [
      ...plain.env,
      { name: '_pod_ip', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'KEDGE_PROXY_INBOUND_FORWARD', value: forwards.join() },
    ],
  };
}

const neighbour = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace, name: 'neighbour' },
  spec: {
    containers: [
      { ...idle, name: 'application', volumeMounts: application({ program: 'neighbour.ts' }).volumeMounts },
    ],
    volumes: [programsVolume],
    terminationGracePeriodSeconds: 1,
  },
};
