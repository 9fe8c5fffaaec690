import { certificateRequests, certificates, issuers, secrets, signers } from '../../../kube/resources.ts';
import { failed, passed, skipped, type Check, type Finding } from '../../doctor/finding.ts';
import type { IssuerReference } from '../request-object.ts';
import type { AskedAs, AskedRight } from './asked-as.ts';

export interface CertManagerRights {
  readonly mode: 'direct' | 'intermediate';
  /** The control namespace. */
  readonly namespace: string;
  readonly issuerRef: IssuerReference;
  /** The Secret of the CA ("intermediate"). */
  readonly secret: string;
}

/** What the ServiceAccount needs, and no more. */
export function neededRights({ mode, namespace, secret }: CertManagerRights): AskedRight[] {
  const verbs = mode === 'direct' ? ['create', 'get', 'list', 'watch', 'delete'] : ['list', 'watch'];
  const what = mode === 'direct' ? { resource: certificateRequests } : { resource: secrets, name: secret };
  return verbs.map((verb) => ({ verb, namespace, ...what }));
}

interface ForbiddenRights extends Check {
  readonly rights: readonly AskedRight[];
}

function forbiddenRights({ mode, namespace, issuerRef }: CertManagerRights): ForbiddenRights[] {
  const { name, kind, group } = issuerRef;
  const signer =
    kind === 'ClusterIssuer'
      ? `clusterissuers.${group}/${name}`
      : `${kind.toLowerCase()}s.${group}/${namespace}.${name}`;
  return [
    {
      check: 'cert-manager.no-right.approve',
      title: 'may not approve requests itself',
      rights: [
        { verb: 'approve', resource: signers, name: signer },
        { verb: 'update', resource: certificateRequests, namespace, subresource: 'status' },
      ],
    },
    {
      check: 'cert-manager.no-right.secrets',
      title: 'may not read all Secrets of the namespace',
      rights: ['get', 'list', 'create'].map((verb) => ({ verb, resource: secrets, namespace })),
    },
    {
      check: 'cert-manager.no-right.issuers',
      title: 'may not change issuers and Certificates',
      rights: [issuers, certificates].flatMap((resource) =>
        ['create', 'update', 'patch'].map((verb) => ({ verb, resource, namespace })),
      ),
    },
    ...(mode === 'direct'
      ? []
      : [
          {
            check: 'cert-manager.no-right.requests',
            title: 'may not ask for certificates itself',
            rights: [{ verb: 'create', resource: certificateRequests, namespace }],
          },
        ]),
  ];
}

/** Each right that is needed, and those by which more could be had. */
export async function examineRights(
  asked: AskedAs,
  options: CertManagerRights,
  signal: AbortSignal,
): Promise<Finding[]> {
  const needed = neededRights(options).map((right) => examineNeeded(asked, right, signal));
  const forbidden = forbiddenRights(options).map((each) => examineForbidden(asked, each, signal));
  return Promise.all([...needed, ...forbidden]);
}

async function examineNeeded(asked: AskedAs, right: AskedRight, signal: AbortSignal): Promise<Finding> {
  const { verb } = right;
  const text = describe(right);
  const check: Check = { check: `cert-manager.right.${verb}`, title: `may ${text}` };
  const allowed = await asked.mayDo(right, signal);
  if (allowed === undefined) return skipped(check, 'you may not ask what the identity service may do');
  if (allowed) return passed(check, 'yes');
  return failed(check, 'it may not', {
    concerns: `rbac ${right.resource.plural} ${verb}`,
    remedy: `Give the ServiceAccount of identity the right to ${text}: the chart does, and \`kedge doctor issuer --print\` prints it.`,
  });
}

async function examineForbidden(
  asked: AskedAs,
  { rights, ...check }: ForbiddenRights,
  signal: AbortSignal,
): Promise<Finding> {
  const answers = await Promise.all(rights.map((right) => asked.mayDo(right, signal)));
  if (answers.includes(undefined)) return skipped(check, 'you may not ask what the identity service may do');
  const allowed = rights.filter((_, at) => answers[at] === true);
  const [first] = allowed;
  if (first === undefined) return passed(check, 'denied');
  return failed(check, `it may: ${allowed.map(describe).join(', ')}`, {
    concerns: `rbac ${first.resource.plural} ${first.verb}`,
    remedy:
      'Look which Role or ClusterRole gives it (`kubectl auth can-i --list --as`), and take it away: Kedge needs none of it.',
  });
}

function describe({ verb, resource, name, subresource, namespace }: AskedRight): string {
  const what = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
  const named = name === undefined ? `${verb} ${what}` : `${verb} ${what} "${name}"`;
  return namespace === undefined ? named : `${named} in ${namespace}`;
}
