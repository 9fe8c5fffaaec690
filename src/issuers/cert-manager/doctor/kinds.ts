import type { KubeClient } from '../../../kube/kube-client.ts';
import type { KubeObject } from '../../../kube/kube-object.ts';
import type { PathReader } from '../../../kube/path-reader.ts';
import { clusterIssuers, issuers } from '../../../kube/resources.ts';
import { errorCode } from '../../../runtime/errors.ts';
import { failure } from '../../doctor/failure.ts';
import { failed, passed, skipped, type Check, type Finding } from '../../doctor/finding.ts';
import type { IssuerReference } from '../request-object.ts';
import { shownText } from '../shown-text.ts';

const kinds: Check = { check: 'cert-manager.kinds', title: 'cert-manager is installed' };
const ready: Check = { check: 'cert-manager.issuer', title: 'the issuer is ready' };

/** Something of cert-manager's with conditions. */
export interface Conditioned extends KubeObject {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

/** Whether the API server knows the kinds that are needed. */
export async function examineKinds(
  client: PathReader,
  needed: string,
  signal: AbortSignal,
): Promise<Finding> {
  const remedy = 'Install cert-manager with its CRDs (crds.enabled=true in its chart).';
  try {
    const list = JSON.parse(await client.readPath('/apis/cert-manager.io/v1', signal)) as {
      readonly resources?: readonly { readonly name?: string }[];
    };
    if (list.resources?.some(({ name }) => name === needed) === true)
      return passed(kinds, `${needed} of cert-manager.io/v1`);
    return failed(kinds, `there are no ${needed} in cert-manager.io/v1`, { concerns: 'crds', remedy });
  } catch (error) {
    if (errorCode(error) !== 'kube_not_found') return failure(kinds, error, 'crds');
    return failed(kinds, 'the API server knows no cert-manager.io/v1', { concerns: 'crds', remedy });
  }
}

/** The issuer itself, which the identity service need not see. */
export async function examineIssuerObject(
  client: Pick<KubeClient, 'read'>,
  { name, kind, group }: IssuerReference,
  namespace: string,
  signal: AbortSignal,
): Promise<Finding> {
  const what = `${kind} ${name}`;
  if (group !== 'cert-manager.io')
    return skipped(ready, `${what} is of ${group}, which says what it is in its own way`);
  const [resource, place] =
    kind === 'ClusterIssuer' ? [clusterIssuers, { name }] : [issuers, { namespace, name }];
  try {
    return judge(what, await client.read<Conditioned>(resource, place, signal));
  } catch (error) {
    const code = errorCode(error);
    if (code === 'kube_forbidden') return skipped(ready, 'it may not be looked at, and need not');
    if (code !== 'kube_not_found') return failure(ready, error, 'issuer');
    return failed(ready, `there is no ${what}`, {
      concerns: 'issuer',
      remedy: 'Make it, or correct KEDGE_CERT_MANAGER_ISSUER_NAME and KEDGE_CERT_MANAGER_ISSUER_KIND.',
    });
  }
}

function judge(what: string, object: Conditioned): Finding {
  const said = conditionOf(object, 'Ready');
  if (said?.status === 'True') return passed(ready, what);
  const seen =
    said === undefined
      ? 'nobody has looked at it yet'
      : shownText(`${said.reason ?? ''}: ${said.message ?? ''}`);
  return failed(ready, `${what} is not ready: ${seen}`, {
    concerns: 'issuer',
    remedy: `Look at it: kubectl describe ${what.toLowerCase()}. Is the controller running?`,
  });
}

export function conditionOf(
  { status }: Conditioned,
  type: string,
): NonNullable<NonNullable<Conditioned['status']>['conditions']>[number] | undefined {
  return status?.conditions?.find((each) => each.type === type);
}
