import type { EndpointSlice } from '../../../../src/destination/kube/endpoint-slice.ts';
import { endpointSliceProjection } from '../../../../src/destination/kube/endpoint-slice.ts';
import type { ExternalWorkload } from '../../../../src/destination/kube/external-workload.ts';
import { projectExternalWorkload } from '../../../../src/destination/kube/external-workload.ts';
import type { Namespace } from '../../../../src/destination/kube/namespace.ts';
import { namespaceProjection } from '../../../../src/destination/kube/namespace.ts';
import type { Node } from '../../../../src/destination/kube/node.ts';
import { projectNode } from '../../../../src/destination/kube/node.ts';
import type { Pod } from '../../../../src/destination/kube/pod.ts';
import { podProjection } from '../../../../src/destination/kube/pod.ts';
import type { Service } from '../../../../src/destination/kube/service.ts';
import { serviceProjection } from '../../../../src/destination/kube/service.ts';
import { SharedValues } from '../../../../src/destination/kube/shared-values.ts';
import { MemoryCollection } from '../../../support/memory-collection.ts';

const shared = new SharedValues();

/** How objects come into `clusterCollections`, as they do in a process. */
export const clusterProjections = {
  services: serviceProjection(shared),
  endpointSlices: endpointSliceProjection(shared),
  pods: podProjection(shared),
  nodes: projectNode,
  namespaces: namespaceProjection(shared),
  externalWorkloads: projectExternalWorkload,
};

/** What a `Cluster` is made of, empty and not seen yet. */
export function clusterCollections() {
  return {
    services: new MemoryCollection<Service>(),
    endpointSlices: new MemoryCollection<EndpointSlice>(),
    pods: new MemoryCollection<Pod>(),
    nodes: new MemoryCollection<Node>(),
    namespaces: new MemoryCollection<Namespace>(),
    externalWorkloads: new MemoryCollection<ExternalWorkload>(),
  };
}
