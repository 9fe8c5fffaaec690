import { writeFileSync } from 'node:fs';
import { kubeconfigName, pkiFiles } from './authority.ts';
import { kubernetesProgram } from './binaries/kubernetes.ts';
import type { Command } from './component.ts';
import type { Place } from './place.ts';
import { requiredProgram } from './missing.ts';
import type { StateDirectory } from './state-directory.ts';

/** What tells one control plane from another. */
export interface ControlPlaneSpec {
  readonly version: string;
  /** With the controllers and rights that a node needs. */
  readonly node: boolean;
  readonly place: Place;
  readonly ports: { readonly api: number; readonly etcd: number; readonly etcdPeer: number };
  /** Further arguments of kube-apiserver, the last one of a name counts. */
  readonly apiServerArgs: readonly string[];
}

const podNetwork = '10.244.0.0/16';
const serviceNetworks = '10.96.0.0/16,fd00:10:96::/108';

/**
 * Without a node, the controllers that keep what Kedge reads and charts use. The others would take away what tests put
 * there by hand: pods on nodes that do not exist.
 */
const controllersWithoutNode = [
  'namespace-controller',
  'serviceaccount-controller',
  'root-ca-certificate-publisher-controller',
  'endpoints-controller',
  'endpointslice-controller',
  'endpointslice-mirroring-controller',
  'garbage-collector-controller',
  'clusterrole-aggregation-controller',
  'deployment-controller',
  'replicaset-controller',
];

/** Throws `Missing`. */
export function etcdProgram(): string {
  return requiredProgram('etcd', 'apt-get install -y etcd-server');
}

export function etcdCommand({ ports }: ControlPlaneSpec, state: StateDirectory): Command {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return {
    name: 'etcd',
    words: [
      etcdProgram(),
      `--data-dir=${state.file('etcd')}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      '--logger=zap',
      '--log-level=warn',
    ],
  };
}

export function apiServerCommand(spec: ControlPlaneSpec, state: StateDirectory): Command {
  const pki = (file: keyof typeof pkiFiles): string => state.file('pki', pkiFiles[file]);
  writeFileSync(state.file('audit-policy.json'), JSON.stringify(auditPolicy));
  const { address } = spec.place;
  return {
    name: 'kube-apiserver',
    words: [
      kubernetesProgram(spec.version, 'kube-apiserver'),
      `--etcd-servers=http://127.0.0.1:${spec.ports.etcd}`,
      `--bind-address=${address}`,
      `--advertise-address=${address}`,
      `--secure-port=${spec.ports.api}`,
      `--cert-dir=${state.file('pki')}`,
      `--tls-cert-file=${pki('serving')}`,
      `--tls-private-key-file=${pki('servingKey')}`,
      `--client-ca-file=${pki('ca')}`,
      `--token-auth-file=${pki('tokens')}`,
      `--kubelet-client-certificate=${pki('kubeletClient')}`,
      `--kubelet-client-key=${pki('kubeletClientKey')}`,
      // A node's name is in no DNS here.
      '--kubelet-preferred-address-types=InternalIP',
      '--authorization-mode=Node,RBAC',
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${pki('serviceAccounts')}`,
      `--service-account-signing-key-file=${pki('serviceAccountsKey')}`,
      `--service-cluster-ip-range=${serviceNetworks}`,
      '--allow-privileged=true',
      '--profiling=false',
      `--audit-policy-file=${state.file('audit-policy.json')}`,
      `--audit-log-path=${auditLogFile(state)}`,
      // The Service `kubernetes` may not have a loopback address as its endpoint.
      ...(spec.node ? [] : ['--endpoint-reconciler-type=none']),
      ...spec.apiServerArgs,
    ],
  };
}

export function auditLogFile(state: StateDirectory): string {
  return state.file('log', 'audit.jsonl');
}

/** Who did what to which object, for every request, without its content. */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
};

export function controllerManagerCommand(spec: ControlPlaneSpec, state: StateDirectory): Command {
  const pki = (file: keyof typeof pkiFiles): string => state.file('pki', pkiFiles[file]);
  const controllers = spec.node
    ? ['--allocate-node-cidrs', `--cluster-cidr=${podNetwork}`]
    : [`--controllers=${controllersWithoutNode.join()}`];
  return {
    name: 'kube-controller-manager',
    words: [
      kubernetesProgram(spec.version, 'kube-controller-manager'),
      `--kubeconfig=${state.file(kubeconfigName('controller-manager'))}`,
      `--service-account-private-key-file=${pki('serviceAccountsKey')}`,
      `--root-ca-file=${pki('ca')}`,
      `--cluster-signing-cert-file=${pki('ca')}`,
      `--cluster-signing-key-file=${pki('caKey')}`,
      `--service-cluster-ip-range=${serviceNetworks}`,
      '--use-service-account-credentials',
      '--leader-elect=false',
      '--secure-port=0',
      ...controllers,
    ],
  };
}
