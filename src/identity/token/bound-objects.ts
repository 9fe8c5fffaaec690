import type { VerifiedToken } from './token-verifier.ts';
import type { JsonObject } from './compact-token.ts';

/** Kubernetes names and UIDs are never longer. */
const maxNameLength = 253;

/**
 * The pod and the node that a Kubernetes token is bound to (claim `kubernetes.io`), for the audit record. They
 * decide nothing, so what is not there or not a name is left out.
 */
export function boundObjects(claims: JsonObject): Pick<VerifiedToken, 'podName' | 'podUid' | 'nodeName'> {
  const bound = objectOf(claims['kubernetes.io']);
  const pod = objectOf(bound['pod']);
  const podName = nameOf(pod['name']);
  const podUid = nameOf(pod['uid']);
  const nodeName = nameOf(objectOf(bound['node'])['name']);
  return {
    ...(podName !== undefined && { podName }),
    ...(podUid !== undefined && { podUid }),
    ...(nodeName !== undefined && { nodeName }),
  };
}

function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {};
}

function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= maxNameLength ? value : undefined;
}
