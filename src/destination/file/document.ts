import type { DefaultPolicyName } from '../server-policy.ts';
import type { PortProtocol } from '../workload.ts';

/** The destination file as written, once its shape has been checked against the schema. */
export interface DestinationDocument {
  readonly clusterNetworks?: readonly string[];
  readonly defaultPolicy?: DefaultPolicyName;
  readonly nodes?: Readonly<Record<string, NodeEntry>>;
  readonly workloads?: Readonly<Record<string, WorkloadEntry>>;
  readonly services?: Readonly<Record<string, ServiceEntry>>;
}

export interface NodeEntry {
  readonly zone: string;
}

export interface WorkloadEntry {
  readonly addresses: readonly string[];
  readonly serviceAccount?: string;
  readonly node?: string;
  readonly zone?: string;
  readonly proxy?: ProxyEntry;
  readonly labels?: Readonly<Record<string, string>>;
  readonly policy?: DefaultPolicyName;
  readonly ports?: Readonly<Record<string, PortEntry>>;
}

export interface ProxyEntry {
  readonly inboundPort?: number;
  readonly adminPort?: number;
  readonly skipInboundPorts?: readonly (number | string)[];
}

export interface PortEntry {
  readonly protocol?: PortProtocol;
  readonly policy?: DefaultPolicyName;
  readonly authorizations?: readonly AuthorizationEntry[];
}

export interface AuthorizationEntry {
  readonly name: string;
  readonly networks?: readonly (string | NetworkEntry)[];
  readonly identities?: readonly string[];
  readonly serviceAccounts?: readonly string[];
  readonly unauthenticated?: true;
}

export interface NetworkEntry {
  readonly cidr: string;
  readonly except?: readonly string[];
}

export interface ServiceEntry {
  readonly clusterIPs?: readonly string[];
  readonly ports: Readonly<Record<string, ServicePortEntry>>;
}

export interface ServicePortEntry {
  readonly opaque?: boolean;
  readonly endpoints?: readonly EndpointEntry[];
}

export type EndpointEntry = WorkloadEndpointEntry | AddressEndpointEntry;

export interface WorkloadEndpointEntry {
  readonly workload: string;
  readonly port?: number;
  readonly weight?: number;
}

export interface AddressEndpointEntry {
  readonly address: string;
  readonly port?: number;
  readonly weight?: number;
  readonly serviceAccount?: string;
  readonly inboundPort?: number;
  readonly opaque?: boolean;
  readonly zone?: string;
  readonly hostname?: string;
  readonly labels?: Readonly<Record<string, string>>;
}
