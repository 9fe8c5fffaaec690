import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { generalName } from '../support/certificate-builder.ts';
import { TestCa } from '../support/test-ca.ts';
import type { StateDirectory } from './state-directory.ts';

/** Who calls the API server as part of the cluster, by the names that Kubernetes' own roles are bound to. */
export const clusterUsers = {
  admin: { name: 'admin', group: 'system:masters' },
  'controller-manager': { name: 'system:kube-controller-manager', group: '' },
  scheduler: { name: 'system:kube-scheduler', group: '' },
  'kube-proxy': { name: 'system:kube-proxy', group: '' },
  kubelet: { name: 'system:node:node1', group: 'system:nodes' },
} as const;

export type ClusterUser = keyof typeof clusterUsers;

/** Files of a cluster's keys, all under `pki` of its state directory. */
export const pkiFiles = {
  ca: 'ca.crt',
  caKey: 'ca.key',
  serving: 'api-server.crt',
  servingKey: 'api-server.key',
  /** What the API server shows the kubelet. */
  kubeletClient: 'kubelet-client.crt',
  kubeletClientKey: 'kubelet-client.key',
  serviceAccounts: 'service-accounts.pub',
  serviceAccountsKey: 'service-accounts.key',
  tokens: 'tokens.csv',
} as const;

const lifetimeMs = 365 * 24 * 3_600_000;
const serviceNames = ['', '.default', '.default.svc', '.default.svc.cluster.local'];

/** Makes the keys, certificates and tokens of a new cluster, and a kubeconfig for each of its users. */
export function createAuthority(state: StateDirectory, address: string, server: string): void {
  const notAfter = new Date(Date.now() + lifetimeMs);
  const ca = TestCa.create({ commonName: 'kubernetes', notAfter });
  const write = (file: keyof typeof pkiFiles, text: string): void => {
    writeFileSync(state.file('pki', pkiFiles[file]), text, { mode: 0o600 });
  };
  const serving = ca.leaf({
    commonName: 'kube-apiserver',
    notAfter,
    names: [
      ...serviceNames.map((end) => generalName.dns(`kubernetes${end}`)),
      generalName.dns('localhost'),
      ...[...new Set([address, '127.0.0.1', '10.96.0.1'])].map(ipName),
    ],
  });
  const client = ca.leaf({ commonName: 'kube-apiserver-kubelet-client', notAfter, names: [] });
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  write('ca', ca.certificate.pem);
  write('caKey', pem(ca.key));
  write('serving', serving.certificate.pem);
  write('servingKey', pem(serving.key));
  write('kubeletClient', client.certificate.pem);
  write('kubeletClientKey', pem(client.key));
  write('serviceAccounts', publicKey.export({ type: 'spki', format: 'pem' }));
  write('serviceAccountsKey', pem(privateKey));
  const tokens = Object.entries(clusterUsers).map(([user, { name, group }]) => {
    const token = randomBytes(24).toString('hex');
    writeKubeconfig(state.file(kubeconfigName(user)), { server, ca: ca.certificate.pem, token });
    return [token, name, name, ...(group === '' ? [] : [`"${group}"`])].join();
  });
  write('tokens', `${tokens.join('\n')}\n`);
}

/** The admin's is at the top, for people. */
export function kubeconfigName(user: string): string {
  return user === 'admin' ? 'kubeconfig' : `${user}.kubeconfig`;
}

export interface KubeconfigContent {
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  readonly token: string;
}

/** JSON, which is YAML too. */
export function writeKubeconfig(file: string, { server, ca, token }: KubeconfigContent): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'kedge',
        cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') },
      },
    ],
    users: [{ name: 'kedge', user: { token } }],
    contexts: [{ name: 'kedge', context: { cluster: 'kedge', user: 'kedge' } }],
    'current-context': 'kedge',
  };
  writeFileSync(file, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' });
}

function ipName(address: string): Buffer {
  return generalName.ip(...address.split('.').map(Number));
}
