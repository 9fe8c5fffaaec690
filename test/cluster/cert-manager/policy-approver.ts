import { Csr } from '../../../src/pki/csr.ts';
import { parsePem } from '../../../src/pki/pem.ts';
import { parseGoDuration } from '../../../src/runtime/durations.ts';
import type { TestCluster } from '../test-cluster.ts';
import { certManagerPath, setConditions } from './objects.ts';
import type { CertManagerObject } from './objects.ts';

/** The kind of approver-policy as far as the API server has to keep it; its own definition says more of the fields. */
export const policyDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'certificaterequestpolicies.policy.cert-manager.io' },
  spec: {
    group: 'policy.cert-manager.io',
    names: {
      kind: 'CertificateRequestPolicy',
      listKind: 'CertificateRequestPolicyList',
      plural: 'certificaterequestpolicies',
      singular: 'certificaterequestpolicy',
    },
    scope: 'Cluster',
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        },
      },
    ],
  },
};

export interface Policy {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly allowed: {
      readonly dnsNames?: { readonly values: readonly string[]; readonly validations?: readonly unknown[] };
      readonly uris?: { readonly values: readonly string[] };
      readonly ipAddresses?: { readonly values: readonly string[] };
      readonly usages: readonly string[];
      readonly isCA: boolean;
    };
    readonly constraints: { readonly maxDuration?: string };
  };
}

interface Asked extends CertManagerObject {
  readonly spec: {
    readonly request: string;
    readonly duration: string;
    readonly isCA?: boolean;
    readonly usages: readonly string[];
    readonly username: string;
    readonly groups: readonly string[];
  };
}

const pollMs = 50;

/**
 * Stands in for approver-policy: approves what a policy allows that whoever asks may use, denies the rest, and leaves alone what
 * no policy speaks to. `*` stands for any text, as there. Ends with the signal.
 */
export async function approveByPolicy(
  cluster: TestCluster,
  namespace: string,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const path = certManagerPath('certificaterequests', namespace);
    const { items } = await cluster.expect<{ items: Asked[] }>(path);
    const open = items.filter(
      ({ status }) => !status?.conditions?.some(({ type }) => type === 'Approved' || type === 'Denied'),
    );
    await Promise.all(open.map((each) => decide(cluster, namespace, each).catch(() => undefined)));
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function decide(cluster: TestCluster, namespace: string, asked: Asked): Promise<void> {
  const path = '/apis/policy.cert-manager.io/v1alpha1/certificaterequestpolicies';
  const { items } = await cluster.expect<{ items: Policy[] }>(path);
  const usable: Policy[] = [];
  for (const policy of items) if (await mayUse(cluster, namespace, asked, policy)) usable.push(policy);
  if (usable.length === 0) return;
  const faults = usable.map((policy) => faultOf(policy, asked));
  const approved = faults.includes(undefined);
  await setConditions(cluster, certManagerPath('certificaterequests', namespace, asked.metadata.name), [
    {
      type: approved ? 'Approved' : 'Denied',
      status: 'True',
      reason: 'policy.cert-manager.io',
      message: approved ? 'approved' : `No policy approved this request: ${faults.join('; ')}`,
    },
  ]);
}

async function mayUse(
  cluster: TestCluster,
  namespace: string,
  asked: Asked,
  policy: Policy,
): Promise<boolean> {
  const { username: user, groups } = asked.spec;
  const resourceAttributes = {
    ...{ verb: 'use', group: 'policy.cert-manager.io', resource: 'certificaterequestpolicies' },
    ...{ name: policy.metadata.name, namespace },
  };
  const { status } = await cluster.expect<{ status: { allowed: boolean } }>(
    '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    {
      method: 'POST',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: { user, groups, resourceAttributes },
      },
    },
  );
  return status.allowed;
}

/** The first field of the policy that the request does not keep to. */
function faultOf({ spec: { allowed, constraints } }: Policy, { spec }: Asked): string | undefined {
  const [block] = parsePem(Buffer.from(spec.request, 'base64').toString());
  const { sans } = Csr.parse(block?.der ?? Buffer.alloc(0));
  const outside = (names: readonly string[], values: readonly string[] = []): boolean =>
    names.some((name) => !values.some((value) => matches(name, value)));
  const { dnsNames, uris, ipAddresses, usages, isCA } = allowed;
  if (outside(sans.dns, dnsNames?.values)) return 'spec.allowed.dnsNames.values';
  const wildcards = sans.dns.some((name) => name.includes('*'));
  if (dnsNames?.validations !== undefined && wildcards) return 'spec.allowed.dnsNames.validations';
  if (outside(sans.uri, uris?.values)) return 'spec.allowed.uris.values';
  if (outside(sans.ip, ipAddresses?.values)) return 'spec.allowed.ipAddresses';
  if (spec.isCA === true && !isCA) return 'spec.allowed.isCA';
  if (spec.usages.some((each) => !usages.includes(each))) return 'spec.allowed.usages';
  const longest = parseGoDuration(constraints.maxDuration ?? '') ?? Infinity;
  return (parseGoDuration(spec.duration) ?? 0) > longest ? 'spec.constraints.maxDuration' : undefined;
}

function matches(text: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(text);
}
