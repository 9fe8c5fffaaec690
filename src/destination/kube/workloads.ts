import type { MeshDomain } from '../../pki/workload-identity.ts';
import { errorMessage } from '../../runtime/errors.ts';
import type { IpAddress } from '../../runtime/ip-address.ts';
import type { Log } from '../../runtime/log.ts';
import { PortSet } from '../../runtime/port-set.ts';
import { annotatedPorts } from './annotated-ports.ts';
import type { Cluster } from './cluster.ts';
import type { ExternalWorkload } from './external-workload.ts';
import { KubeWorkload } from './kube-workload.ts';
import type { Topics } from './lookup.ts';
import type { Namespace } from './namespace.ts';
import { newest } from './newest.ts';
import type { Pod } from './pod.ts';
import { TEMPLATE_HASH } from './pod.ts';
import type { ServerProtocols } from './server-protocols.ts';

/** What pods and external workloads are read with. */
export interface WorkloadOptions {
  readonly domain: MeshDomain;
  /** Opaque where no annotation says which are. */
  readonly opaquePorts: PortSet;
  readonly protocols: ServerProtocols;
  readonly log: Log;
}

/** `unusable`: what must be proven there cannot be told, so it is never told of; anything less would be plaintext. */
export type FoundWorkload = KubeWorkload | 'unusable';

interface Known {
  readonly namespace: Namespace | undefined;
  readonly zone: string | undefined;
  readonly workload: FoundWorkload;
}

const MESH_LABEL = 'linkerd.io/control-plane-ns';
const NO_PORTS = PortSet.parse('') ?? new Set<number>();
/** Where an external workload's proxy listens when none of its ports has the name of it (contract 4.5). */
const EXTERNAL_INBOUND_PORT = 4143;
const EXTERNAL_INBOUND_NAME = 'linkerd-proxy';

/** Makes workloads of what Kubernetes knows, each once as long as nothing about it changes. */
export class Workloads {
  readonly #cluster: Cluster;
  readonly #options: WorkloadOptions;
  readonly #known = new WeakMap<Pod | ExternalWorkload, Known>();

  constructor(cluster: Cluster, options: WorkloadOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /**
   * Whose address it is. Of several pods, all but the newest are about to be seen to have gone. Users write the addresses
   * of external workloads: no word of theirs may take an address from a service, a node, or an earlier one of others.
   */
  at(address: IpAddress, topics: Topics): FoundWorkload | undefined {
    const ip = address.toString();
    const pod = newest(this.#cluster.podsAt.find(ip, topics));
    if (pod !== undefined) return this.ofPod(pod, topics);
    if (this.#cluster.servicesAt.find(ip, topics).length > 0) return 'unusable';
    if (this.#cluster.nodesAt.find(ip, topics).length > 0) return undefined;
    const external = holderOf(this.#cluster.externalsAt.find(ip, topics));
    return external === undefined ? undefined : this.ofExternal(external, topics);
  }

  ofPod(pod: Pod, topics: Topics): FoundWorkload {
    topics.add(serverTopic(pod.namespace));
    const zone = pod.node === undefined ? undefined : this.#cluster.nodes.get(pod.node, topics)?.zone;
    return this.#keep(pod, zone, topics, (namespace) => this.#makePod(pod, namespace, zone));
  }

  ofExternal(external: ExternalWorkload, topics: Topics): FoundWorkload {
    topics.add(serverTopic(external.namespace));
    return this.#keep(external, undefined, topics, (namespace) => this.#makeExternal(external, namespace));
  }

  #keep(
    object: Pod | ExternalWorkload,
    zone: string | undefined,
    topics: Topics,
    make: (namespace: Namespace | undefined) => FoundWorkload,
  ): FoundWorkload {
    const namespace = this.#cluster.namespaces.get(object.namespace, topics);
    const known = this.#known.get(object);
    if (known !== undefined && known.namespace === namespace && known.zone === zone) return known.workload;
    const workload = make(namespace);
    this.#known.set(object, { namespace, zone, workload });
    return workload;
  }

  #makePod(pod: Pod, namespace: Namespace | undefined, zone: string | undefined): FoundWorkload {
    const { domain, protocols, log } = this.#options;
    const meshed = pod.labels[MESH_LABEL] === domain.controlNamespace;
    try {
      return new KubeWorkload({
        ...pod,
        ...this.#annotated(pod, namespace),
        identity: meshed ? domain.identity(pod.namespace, pod.serviceAccount) : undefined,
        inboundPort: pod.proxy?.inbound,
        adminPort: pod.proxy?.admin,
        zone,
        labels: podLabels(pod),
        serverProtocol: (port) => protocols.protocolOf(pod, port),
      });
    } catch (error) {
      log.warn(
        { pod: `${pod.namespace}/${pod.name}`, problem: errorMessage(error) },
        'a pod of the mesh is told to nobody',
      );
      return 'unusable';
    }
  }

  #makeExternal(external: ExternalWorkload, namespace: Namespace | undefined): FoundWorkload {
    const { identity, ports, name } = external;
    if (identity === undefined) return 'unusable';
    const inbound = ports.find((port) => port.name === EXTERNAL_INBOUND_NAME)?.port ?? EXTERNAL_INBOUND_PORT;
    return new KubeWorkload({
      ...external,
      ...this.#annotated(external, namespace),
      identity,
      inboundPort: inbound,
      adminPort: undefined,
      zone: undefined,
      labels: { external_workload: name },
      serverProtocol: (port) => this.#options.protocols.protocolOf(external, port),
    });
  }

  #annotated({ annotations, ports }: Pod | ExternalWorkload, namespace: Namespace | undefined) {
    const annotated = { annotations, ports, namespace };
    return {
      opaquePorts: annotatedPorts('opaque-ports', annotated) ?? this.#options.opaquePorts,
      skippedPorts: annotatedPorts('skip-inbound-ports', annotated) ?? NO_PORTS,
    };
  }
}

/** The newest of the namespace that had the address first. */
function holderOf(externals: readonly ExternalWorkload[]): ExternalWorkload | undefined {
  const [first] = externals.toSorted((a, b) => a.created - b.created);
  return newest(externals.filter(({ namespace }) => namespace === first?.namespace));
}

/** What is read with everything that Servers of the namespace may say. */
export function serverTopic(namespace: string): string {
  return `servers ${namespace}`;
}

/** Labels of the contract (4.5). Those that are always there win over an owner of such a kind. */
function podLabels({ name, serviceAccount, owner, labels }: Pod): Record<string, string> {
  const { [MESH_LABEL]: mesh, [TEMPLATE_HASH]: hash } = labels;
  return {
    ...(owner !== undefined && { [owner.kind.replaceAll(/[^a-z0-9]/g, '_')]: owner.name }),
    ...(mesh !== undefined && { control_plane_ns: mesh }),
    ...(hash !== undefined && { pod_template_hash: hash }),
    pod: name,
    serviceaccount: serviceAccount,
  };
}
