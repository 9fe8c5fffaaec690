import { quoted } from '../runtime/quoted.ts';
import { isDnsLabel, isDnsName } from '../runtime/dns-names.ts';
import { destinationErrors } from './errors.ts';

/** A pod, or whatever stands for one outside a cluster. */
export interface WorkloadName {
  readonly namespace: string;
  readonly name: string;
}

/** `namespace/name`: the key of a workload in files, logs and maps. */
export function workloadKey(workload: WorkloadName): string {
  return `${workload.namespace}/${workload.name}`;
}

const EXPECTED = '{"ns": "...", "pod": "..."}, {"ns": "...", "external_workload": "..."} or namespace:pod';

/** Reads the `workload` of a policy request (contract 5.4). Throws `workload_invalid`. */
export function parseWorkloadName(text: string): WorkloadName {
  const trimmed = text.trim();
  const found = trimmed.startsWith('{') ? fromJson(trimmed) : fromPair(trimmed);
  if (found === undefined) {
    throw destinationErrors.error('workload_invalid', `expected ${EXPECTED}, got ${quoted(text)}`);
  }
  return found;
}

function fromJson(text: string): WorkloadName | undefined {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const { ns, pod, external_workload: external } = value;
  if (pod !== undefined && external !== undefined) return undefined;
  return checked(ns, pod ?? external);
}

function fromPair(text: string): WorkloadName | undefined {
  const [namespace, name, ...more] = text.split(':');
  return more.length > 0 ? undefined : checked(namespace, name);
}

function checked(namespace: unknown, name: unknown): WorkloadName | undefined {
  if (typeof namespace !== 'string' || !isDnsLabel(namespace)) return undefined;
  if (typeof name !== 'string' || !isDnsName(name)) return undefined;
  return { namespace, name };
}
