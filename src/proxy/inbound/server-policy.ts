import { IpNetwork } from '../../runtime/ip-network.ts';

/** What is spoken on a port; anything but `opaque` may begin with mesh TLS (contract 3.3). */
export type PortProtocol = 'detect' | 'opaque' | 'tls' | 'http1' | 'http2' | 'grpc';

/** Names of what made a rule, as metrics show it. */
export interface PolicyLabels {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}

export interface AllowedNetwork {
  readonly network: IpNetwork;
  readonly except: readonly IpNetwork[];
}

export type AllowedClients =
  /** Whoever it is, mesh TLS or not. */
  | { readonly kind: 'anyone' }
  /** Mesh TLS is enough, an identity is not needed. */
  | { readonly kind: 'meshed' }
  /** These identities, or DNS identities with one of these endings; the empty ending fits every one. */
  | {
      readonly kind: 'identities';
      readonly identities: ReadonlySet<string>;
      /** Each with a dot in front: `.shop.serviceaccount.identity.linkerd.cluster.local`. */
      readonly suffixes: readonly string[];
    };

/** A rule that lets connections in. */
export interface Authorization {
  readonly labels: PolicyLabels;
  readonly networks: readonly AllowedNetwork[];
  readonly clients: AllowedClients;
}

/** What holds on one port. Replaced as a whole, never changed. */
export interface ServerPolicy {
  readonly protocol: PortProtocol;
  readonly labels: PolicyLabels;
  /** The first that fits lets a connection in; none of them fits, it is denied. */
  readonly authorizations: readonly Authorization[];
}

export const defaultLabels = (name: string): PolicyLabels => ({ group: '', kind: 'default', name });

/** Every proxy lets its own host in (contract 5.2), so that a kubelet that probes by way of loopback gets through. */
export const localhostAuthorization: Authorization = {
  labels: defaultLabels('localhost'),
  networks: networks('127.0.0.1/32', '::1/128'),
  clients: { kind: 'anyone' },
};

/** Stands for an answer that breaks a rule: nobody gets in, not even from this host (contract 5.2). */
export const invalidPolicy: ServerPolicy = {
  protocol: 'detect',
  labels: defaultLabels('invalid'),
  authorizations: [],
};

export function networks(...texts: string[]): AllowedNetwork[] {
  return texts.map((text) => {
    const network = IpNetwork.parse(text);
    if (network === undefined) throw new TypeError(`expected a network, got ${text}`);
    return { network, except: [] };
  });
}
