import type { Annotations } from '../../kube/annotations.ts';
import { annotationsOf } from '../../kube/annotations.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import type { SharedValues } from './shared-values.ts';

/** What destination keeps of a namespace. */
export interface Namespace {
  readonly annotations: Annotations;
}

export function namespaceProjection(shared: SharedValues): (source: KubeObject) => Namespace {
  return ({ metadata }) => ({ annotations: shared.share(annotationsOf(metadata)) });
}
