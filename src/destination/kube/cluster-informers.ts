import type { InformerOptions } from '../../kube/informer.ts';
import { informer } from '../../kube/informer.ts';
import {
  endpointSlices,
  externalWorkloads,
  namespaces,
  nodes,
  pods,
  services,
} from '../../kube/resources.ts';
import { endpointSliceProjection } from './endpoint-slice.ts';
import { projectExternalWorkload } from './external-workload.ts';
import { namespaceProjection } from './namespace.ts';
import { projectNode } from './node.ts';
import { podProjection } from './pod.ts';
import { serviceProjection } from './service.ts';
import { SharedValues } from './shared-values.ts';

/** Informers for all that endpoints are made of; not running yet. The rights they need are list and watch. */
export function clusterInformers(
  common: Pick<InformerOptions<unknown>, 'client' | 'clock' | 'log' | 'metrics'>,
) {
  const shared = new SharedValues();
  return {
    services: informer({ ...common, resource: services, project: serviceProjection(shared) }),
    endpointSlices: informer({
      ...common,
      resource: endpointSlices,
      project: endpointSliceProjection(shared),
    }),
    pods: informer({ ...common, resource: pods, project: podProjection(shared) }),
    nodes: informer({ ...common, resource: nodes, project: projectNode }),
    namespaces: informer({ ...common, resource: namespaces, project: namespaceProjection(shared) }),
    externalWorkloads: informer({
      ...common,
      resource: externalWorkloads,
      project: projectExternalWorkload,
      optional: true,
    }),
  };
}
