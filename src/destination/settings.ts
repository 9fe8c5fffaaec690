import { kubeSettings } from '../kube/settings.ts';
import { MeshDomain } from '../pki/workload-identity.ts';
import type { Check, Environment, ValuesOf } from '../runtime/env.ts';
import { readEnvironment } from '../runtime/env.ts';
import { checkListenerAddresses } from '../runtime/listener-addresses.ts';
import { processSettings } from '../runtime/process-settings.ts';
import {
  cidrs,
  dnsLabel,
  dnsName,
  oneOf,
  path,
  portSet,
  remoteAddress,
  socketAddress,
} from '../runtime/settings.ts';
import { CLIENT_RULES } from './client-rule.ts';
import { DEFAULT_POLICY_NAMES } from './server-policy.ts';

/** Where the map of the mesh comes from. */
export const SOURCES = ['file', 'kubernetes'] as const;

/** Everything the destination process can be told; docs/configuration.md is made from this. */
export const destinationSettings = {
  ...processSettings,
  listenAddr: socketAddress({
    name: 'KEDGE_DESTINATION_LISTEN_ADDR',
    help: 'Where proxies ask for endpoints and profiles (gRPC over mutual TLS).',
    fallback: '0.0.0.0:8086',
  }),
  policyListenAddr: socketAddress({
    name: 'KEDGE_POLICY_LISTEN_ADDR',
    help: 'Where proxies ask for inbound and outbound policy (gRPC over mutual TLS).',
    fallback: '0.0.0.0:8090',
  }),
  adminListenAddr: socketAddress({
    name: 'KEDGE_ADMIN_LISTEN_ADDR',
    help: 'Where /live, /ready and /metrics are served, in plaintext.',
    fallback: '0.0.0.0:9996',
  }),
  source: oneOf({
    name: 'KEDGE_DESTINATION_SOURCE',
    help: 'Where endpoints and policy come from: file for KEDGE_DESTINATION_FILE, or kubernetes for the objects of the cluster.',
    values: SOURCES,
    fallback: 'file',
  }),
  destinationFile: path({
    name: 'KEDGE_DESTINATION_FILE',
    help: 'The YAML file that holds services, endpoints and policy; docs/destination-file.schema.json describes it. Changes are taken up while running. Not looked at with the source kubernetes.',
    required: true,
  }),
  opaquePorts: portSet({
    name: 'KEDGE_DEFAULT_OPAQUE_PORTS',
    help: 'Ports whose bytes nobody may look into, of pods and Services that no annotation says otherwise of. Not looked at with the source file.',
    fallback: '25,587,3306,4444,5432,6379,9300,11211',
  }),
  defaultInboundPolicy: oneOf({
    name: 'KEDGE_DEFAULT_INBOUND_POLICY',
    help: 'What holds on ports that no rule and no annotation speaks of. Not looked at with the source file, which has its own.',
    values: DEFAULT_POLICY_NAMES,
    fallback: 'all-unauthenticated',
  }),
  clusterNetworks: cidrs({
    name: 'KEDGE_CLUSTER_NETWORKS',
    help: 'The networks of pods and Services. The policies cluster-* admit them (with the source file, those that the file names); the Rust proxy is told to leave connections to other addresses alone.',
    fallback: '10.0.0.0/8,100.64.0.0/10,172.16.0.0/12,192.168.0.0/16,fd00::/8',
  }),
  clients: oneOf({
    name: 'KEDGE_DESTINATION_CLIENTS',
    help: 'Whose calls are answered: any, or meshed for those that prove an identity of this mesh. The Rust proxy needs any, for it opens its streams before it has a certificate.',
    values: CLIENT_RULES,
    fallback: 'any',
  }),
  clusterDomain: dnsName({
    name: 'KEDGE_CLUSTER_DOMAIN',
    help: 'What the names of services end in, after svc.',
    fallback: 'cluster.local',
  }),
  controlNamespace: dnsLabel({
    name: 'KEDGE_CONTROL_NAMESPACE',
    help: 'The namespace of the control plane, which is part of every identity.',
    fallback: 'kedge',
  }),
  trustDomain: dnsName({
    name: 'KEDGE_TRUST_DOMAIN',
    help: 'What every identity of the mesh ends in.',
    fallback: 'cluster.local',
  }),
  serviceAccount: dnsName({
    name: 'KEDGE_SERVICE_ACCOUNT',
    help: 'The ServiceAccount this process runs as; with the control namespace, its own identity.',
    fallback: 'kedge-destination',
  }),
  trustAnchorsFile: path({
    name: 'KEDGE_TRUST_ANCHORS_FILE',
    help: 'The trust anchors of the mesh, one or more certificates in PEM.',
    required: true,
  }),
  identityAddr: remoteAddress({
    name: 'KEDGE_IDENTITY_ADDR',
    help: 'Where the identity service is, which signs the certificate of this process.',
    required: true,
  }),
  identityName: dnsName({
    name: 'KEDGE_IDENTITY_NAME',
    help: 'The identity that the identity service must prove. The one of the ServiceAccount kedge-identity in the control namespace when not set.',
  }),
  tokenFile: path({
    name: 'KEDGE_TOKEN_FILE',
    help: 'The ServiceAccount token to prove the own identity with; read anew for each certificate.',
    required: true,
  }),
  ...kubeSettings,
} as const;

export type DestinationSettings = ValuesOf<typeof destinationSettings>;

/** With another source than the file, nothing reads its path. */
const withoutFile = {
  ...destinationSettings,
  destinationFile: { ...destinationSettings.destinationFile, required: false },
};

type Rule = Check<typeof destinationSettings>;

const checkListeners: Rule = (values, problem) =>
  checkListenerAddresses(
    [
      ['KEDGE_DESTINATION_LISTEN_ADDR', values.listenAddr],
      ['KEDGE_POLICY_LISTEN_ADDR', values.policyListenAddr],
      ['KEDGE_ADMIN_LISTEN_ADDR', values.adminListenAddr],
    ],
    problem,
  );

const checkOwnName: Rule = ({ controlNamespace, trustDomain, serviceAccount }, problem) => {
  try {
    new MeshDomain(controlNamespace, trustDomain).identity(controlNamespace, serviceAccount);
  } catch {
    const expected = 'an account whose identity is a DNS name of at most 253 characters';
    problem('KEDGE_SERVICE_ACCOUNT', expected, 'a longer one');
  }
};

/** Throws ConfigError with everything that is wrong. */
export function readDestinationSettings(environment: Environment): DestinationSettings {
  const ofCluster = environment[destinationSettings.source.name] === 'kubernetes';
  const settings = ofCluster ? withoutFile : destinationSettings;
  return readEnvironment(settings, environment, checkListeners, checkOwnName);
}

/** The identity that the identity service must prove. */
export function identityNameOf(settings: DestinationSettings, domain: MeshDomain): string {
  return settings.identityName ?? domain.identity(settings.controlNamespace, 'kedge-identity').dnsName;
}
