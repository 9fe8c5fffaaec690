import { PortSet } from '../../../runtime/port-set.ts';
import type { DefaultPolicyName } from '../../server-policy.ts';
import { DEFAULT_POLICY_NAMES } from '../../server-policy.ts';
import { annotatedPorts, MAX_PORT_LIST } from '../annotated-ports.ts';
import type { Namespace } from '../namespace.ts';
import { shown } from '../fields.ts';
import type { PolicyWorkload } from './policy-workload.ts';

/** What the annotations of a workload, or else of its namespace, say where no Server speaks for a port. */
export interface WorkloadDefaults {
  readonly policy: DefaultPolicyName;
  readonly opaque: boolean;
}

/** What holds where nobody is annotated. */
export interface FallbackDefaults {
  readonly policy: DefaultPolicyName;
  readonly opaquePorts: PortSet;
}

const WITH_IDENTITY: Readonly<Record<DefaultPolicyName, DefaultPolicyName>> = {
  'all-unauthenticated': 'all-authenticated',
  'all-authenticated': 'all-authenticated',
  'cluster-unauthenticated': 'cluster-authenticated',
  'cluster-authenticated': 'cluster-authenticated',
  audit: 'all-authenticated',
  deny: 'deny',
};

/** An annotation that cannot be read never lets in more: the policy is then `deny`, and every port needs an identity. */
export function workloadDefaults(
  workload: PolicyWorkload,
  namespace: Namespace,
  port: number,
  fallback: FallbackDefaults,
): WorkloadDefaults {
  const annotated = { annotations: workload.annotations, ports: workload.ports, namespace };
  const policy = defaultPolicy(workload, namespace) ?? fallback.policy;
  return {
    policy: needsIdentity(workload, namespace, port) ? WITH_IDENTITY[policy] : policy,
    opaque: (annotatedPorts('opaque-ports', annotated) ?? fallback.opaquePorts).has(port),
  };
}

/** Whether kubelet probes of the workload are let in. Whatever is said but `enabled` says no. */
export function probesAllowed(workload: PolicyWorkload, namespace: Namespace): boolean {
  const name = 'probe-authorization';
  return (workload.annotations[name] ?? namespace.annotations[name] ?? 'enabled') === 'enabled';
}

/** What is wrong with annotations, in sentences. */
export function annotationProblems({ annotations }: Pick<Namespace, 'annotations'>): string[] {
  const problems: string[] = [];
  const { 'default-inbound-policy': policy, 'probe-authorization': probe } = annotations;
  if (policy !== undefined && !isPolicy(policy)) {
    problems.push(
      `expected default-inbound-policy to be one of ${DEFAULT_POLICY_NAMES.join(', ')}, got ${shown(policy)}`,
    );
  }
  if (probe !== undefined && probe !== 'enabled' && probe !== 'disabled') {
    problems.push(`expected probe-authorization to be enabled or disabled, got ${shown(probe)}`);
  }
  return [...problems, ...portProblems({ annotations }, PORT_LISTS)];
}

/** What is wrong with the lists of ports in some annotations, in sentences. */
export function portProblems(
  { annotations }: Pick<Namespace, 'annotations'>,
  names: readonly PortListName[],
): string[] {
  return names.flatMap((name) => {
    const said = annotations[name];
    if (said === undefined || isPortList(said, PORT_NAMES[name])) return [];
    return [`expected ${name} to list ports, got ${shown(said)}`];
  });
}

function defaultPolicy(workload: PolicyWorkload, namespace: Namespace): DefaultPolicyName | undefined {
  const name = 'default-inbound-policy';
  const said = workload.annotations[name] ?? namespace.annotations[name];
  if (said === undefined) return undefined;
  return isPolicy(said) ? said : 'deny';
}

function needsIdentity(workload: PolicyWorkload, namespace: Namespace, port: number): boolean {
  const name = 'proxy-require-identity-inbound-ports';
  const said = workload.annotations[name] ?? namespace.annotations[name];
  if (said === undefined) return false;
  const { annotations, ports } = workload;
  return (
    !isPortList(said, PORT_NAMES[name]) ||
    annotatedPorts(name, { annotations, ports, namespace })?.has(port) === true
  );
}

function isPolicy(text: string): text is DefaultPolicyName {
  return (DEFAULT_POLICY_NAMES as readonly string[]).includes(text);
}

/** What a container may call a port, and a Service, for whose ports its namespace may speak. */
const ofContainer = /^(?=.*[a-z])[a-z0-9](?:[a-z0-9-]{0,13}[a-z0-9])?$/;
const ofService = /^(?=.*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** What can be the name of a port in each annotation that lists ports. */
const PORT_NAMES = {
  'proxy-require-identity-inbound-ports': ofContainer,
  'opaque-ports': ofService,
  'skip-inbound-ports': ofContainer,
} as const;

type PortListName = keyof typeof PORT_NAMES;

const PORT_LISTS = Object.keys(PORT_NAMES) as PortListName[];

/** Whether each item is a port, a range or what can be the name of a port. */
function isPortList(text: string, portName: RegExp): boolean {
  if (text.length > MAX_PORT_LIST) return false;
  const items = text.split(',').map((item) => item.trim());
  return items.every((item) => portName.test(item) || PortSet.parse(item) !== undefined);
}
