import { Certificate } from '../../../../src/pki/certificate.ts';
import type { TestCluster } from '../../test-cluster.ts';
import { controlNamespace } from '../install-kedge.ts';
import type { Authorities } from './authorities.ts';

/** One way to run Kedge: an issuer in a mode, as an operator installs it who keeps to the conventions. */
export interface Combination {
  readonly title: string;
  /** All that helm is told, beside where the image is; `ANCHOR` stands for a file with the root of the company. */
  readonly values: readonly string[];
  /** Whether the CA is asked for each certificate. */
  readonly asksCa: boolean;
  /** The CA, and which of the certificates that a workload shows it has signed: 0 is the leaf. */
  readonly ca: (authorities: Authorities, cluster: TestCluster) => Certificate | Promise<Certificate>;
  readonly signs: 0 | 1;
  /** What Vault has to allow. */
  readonly inVault?: 'direct' | 'intermediate';
  /** What the doctor finds fault with, by the names of its checks, since nothing on this node refuses it. */
  readonly lacking?: RegExp;
  /** Secrets of the mesh that stay when the release goes. */
  readonly secretsLeft: readonly string[];
}

export const ownCa: Combination = {
  title: 'a CA of its own',
  values: [],
  asksCa: false,
  ca: async (_, cluster) => Certificate.parsePem(await secretText(cluster, 'kedge-issuer', 'tls.crt'))[0]!,
  signs: 0,
  secretsLeft: ['kedge-issuer', 'kedge-trust-anchor'],
};

export const vaultDirect: Combination = {
  title: 'Vault that signs each certificate',
  values: ['--set=issuer=vault'],
  inVault: 'direct',
  asksCa: true,
  ca: ({ vault }) => vault.certificate,
  signs: 0,
  secretsLeft: [],
};

export const vaultIntermediate: Combination = {
  title: 'an intermediate of Vault',
  values: ['--set=issuer=vault,vault.mode=intermediate'],
  inVault: 'intermediate',
  asksCa: false,
  ca: ({ vault }) => vault.certificate,
  signs: 1,
  secretsLeft: [],
};

/** There is no approver but cert-manager's own, which lets everything be signed. */
export const certManagerDirect: Combination = {
  title: 'an issuer of cert-manager that signs each certificate',
  values: ['--set=issuer=cert-manager,certManager.mode=direct', '--set-file=trust.anchors=ANCHOR'],
  asksCa: true,
  ca: ({ certManager }) => certManager.certificate,
  signs: 0,
  lacking: /^cert-manager\.no-/,
  secretsLeft: [],
};

/** This version of cert-manager cannot constrain the names that a CA signs for. */
export const certManagerIntermediate: Combination = {
  title: 'a CA certificate of cert-manager',
  values: ['--set=issuer=cert-manager', '--set-file=trust.anchors=ANCHOR'],
  asksCa: false,
  ca: ({ certManager }) => certManager.certificate,
  signs: 1,
  lacking: /^ca\.names$/,
  // cert-manager leaves it, unless it was told to have it go with its Certificate.
  secretsLeft: ['kedge-issuer'],
};

/** A text in a Secret of the mesh. */
export async function secretText(cluster: TestCluster, name: string, key: string): Promise<string> {
  const { data } = await cluster.expect<{ readonly data: Readonly<Record<string, string>> }>(
    `/api/v1/namespaces/${controlNamespace}/secrets/${name}`,
  );
  return Buffer.from(data[key] ?? '', 'base64').toString();
}
