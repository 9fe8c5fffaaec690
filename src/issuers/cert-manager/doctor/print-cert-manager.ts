import { formatDuration } from '../../../runtime/durations.ts';
import type { ValuesOf } from '../../../runtime/env.ts';
import { namesEnd, type ExaminedMesh } from '../../doctor/needs.ts';
import type { certManagerSettings } from '../settings.ts';

export interface PrintedCertManager extends ValuesOf<typeof certManagerSettings> {
  readonly issuerMode: 'direct' | 'intermediate' | undefined;
}

/** Where cert-manager itself runs, which asks for the certificates of Certificates. */
const controller = { namespace: 'cert-manager', name: 'cert-manager' } as const;

const caDuration = '720h';

/** YAML for `kubectl apply`; an issuer stands in comments, for to apply it would take the place of one that is there. */
export function printCertManager(config: PrintedCertManager, mesh: ExaminedMesh): string {
  const mode = config.issuerMode ?? 'intermediate';
  const head = `# The least that Kedge needs of cert-manager, mode "${mode}". For: kubectl apply -f -\n${issuerComment(config, mesh)}`;
  const documents = mode === 'direct' ? direct(config, mesh) : intermediate(config, mesh);
  return `${head}${documents.map((each) => `---\n${each}`).join('')}`;
}

function issuerComment(config: PrintedCertManager, { controlNamespace }: ExaminedMesh): string {
  const { certManagerIssuerName: name, certManagerIssuerKind: kind, certManagerIssuerGroup: group } = config;
  if (group !== 'cert-manager.io')
    return `# The issuer itself, ${kind} ${name} of ${group}, is made as its owner says.\n`;
  const [metadata, home] =
    kind === 'ClusterIssuer'
      ? [`{ name: ${name} }`, 'the namespace of cert-manager']
      : [`{ name: ${name}, namespace: ${controlNamespace} }`, controlNamespace];
  return `# The issuer itself, where there is none yet; any other type does as well:
#   apiVersion: cert-manager.io/v1
#   kind: ${kind}
#   metadata: ${metadata}
#   spec: { ca: { secretName: ${name}-ca } }   # tls.crt and tls.key of your CA, in ${home}
`;
}

function direct(config: PrintedCertManager, mesh: ExaminedMesh): string[] {
  const { controlNamespace: namespace, serviceAccount: name, trustDomain, lifetimeMs } = mesh;
  const names = JSON.stringify(`*.${namesEnd(mesh)}`);
  return [
    ...role(mesh, '[cert-manager.io]', '[certificaterequests]', '[create, get, list, watch, delete]'),
    `# What an approver lets pass (approver-policy). cert-manager's own approver lets everything pass: turn it off
# (disableAutoApproval=true in its chart).
apiVersion: policy.cert-manager.io/v1alpha1
kind: CertificateRequestPolicy
metadata:
  name: ${policyName(mesh)}
spec:
  allowed:
    # Kedge's proxy gives none, others the name itself.
    commonName:
      value: ${names}
    dnsNames:
      required: true
      values: [${names}]
      validations:
        - rule: "!self.contains('*')"
          message: no wildcards
    uris:
      values: ["spiffe://${trustDomain}/ns/*/sa/*"]
    usages: [digital signature, server auth, client auth]
    isCA: false
  constraints:
    maxDuration: ${formatDuration(lifetimeMs)}
    privateKey: { algorithm: ECDSA, minSize: 256, maxSize: 256 }
${selector(config, namespace)}`,
    ...use(mesh, { namespace, name }),
  ];
}

function intermediate(config: PrintedCertManager, mesh: ExaminedMesh): string[] {
  const { controlNamespace: namespace, trustDomain } = mesh;
  const { certManagerSecret: secret } = config;
  const {
    certManagerIssuerName: issuer,
    certManagerIssuerKind: kind,
    certManagerIssuerGroup: group,
  } = config;
  const commonName = JSON.stringify(`identity.${namespace}.${trustDomain}`.slice(0, 64).replace(/\.$/, ''));
  return [
    ...role(mesh, "['']", '[secrets]', '[list, watch]', secret),
    `# The CA that signs in identity. cert-manager 1.17 and later can hold it to its names; add to the spec:
#   nameConstraints: { critical: true, permitted: { dnsDomains: [${JSON.stringify(trustDomain)}] } }
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: ${secret}
  namespace: ${namespace}
spec:
  secretName: ${secret}
  isCA: true
  commonName: ${commonName}
  duration: ${caDuration}
  renewBefore: 240h
  privateKey: { algorithm: ECDSA, size: 256, rotationPolicy: Always }
  usages: [cert sign, crl sign]
  issuerRef: { name: ${issuer}, kind: ${kind}, group: ${group} }
`,
    `# What an approver lets pass (approver-policy), where there is one beside cert-manager's own.
apiVersion: policy.cert-manager.io/v1alpha1
kind: CertificateRequestPolicy
metadata:
  name: ${policyName(mesh)}
spec:
  allowed:
    commonName: { required: true, value: ${commonName} }
    usages: [cert sign, crl sign]
    isCA: true
  constraints:
    maxDuration: ${caDuration}
    privateKey: { algorithm: ECDSA, minSize: 256, maxSize: 256 }
${selector(config, namespace)}`,
    ...use(mesh, controller),
  ];
}

function selector(config: PrintedCertManager, namespace: string): string {
  const { certManagerIssuerName: name, certManagerIssuerKind: kind, certManagerIssuerGroup: group } = config;
  return `  selector:
    issuerRef: { name: ${name}, kind: ${kind}, group: ${group} }
    namespace: { matchNames: [${namespace}] }
`;
}

function policyName({ controlNamespace }: ExaminedMesh): string {
  return `${controlNamespace}-identity`;
}

/** What the ServiceAccount of identity may do, and no more; the chart gives it as well. */
function role(
  mesh: ExaminedMesh,
  groups: string,
  resources: string,
  verbs: string,
  named?: string,
): string[] {
  const { controlNamespace: namespace, serviceAccount } = mesh;
  const name = `${serviceAccount}-issuer`;
  const names = named === undefined ? '' : `    resourceNames: [${named}]\n`;
  return [
    `# What identity needs in its namespace; the chart gives it as well.
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: ${name}
  namespace: ${namespace}
rules:
  - apiGroups: ${groups}
    resources: ${resources}
${names}    verbs: ${verbs}
`,
    binding({ namespace, name, kind: 'Role' }, { namespace, name: serviceAccount }),
  ];
}

/** With approver-policy, whoever asks needs the right to use the policy. */
function use(mesh: ExaminedMesh, user: { readonly namespace: string; readonly name: string }): string[] {
  const { controlNamespace: namespace } = mesh;
  const policy = policyName(mesh);
  const name = `${policy}-policy`;
  return [
    `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: ${name}
rules:
  - apiGroups: [policy.cert-manager.io]
    resources: [certificaterequestpolicies]
    resourceNames: [${policy}]
    verbs: [use]
`,
    binding({ namespace, name, kind: 'ClusterRole' }, user),
  ];
}

function binding(
  { namespace, name, kind }: { readonly namespace: string; readonly name: string; readonly kind: string },
  user: { readonly namespace: string; readonly name: string },
): string {
  return `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: ${name}
  namespace: ${namespace}
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ${kind}, name: ${name} }
subjects:
  - { kind: ServiceAccount, name: ${user.name}, namespace: ${user.namespace} }
`;
}
