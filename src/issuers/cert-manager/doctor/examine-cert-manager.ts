import type { KubeConnection } from '../../../kube/kube-watch.ts';
import type { ValuesOf } from '../../../runtime/env.ts';
import { isAppError } from '../../../runtime/errors.ts';
import { failure } from '../../doctor/failure.ts';
import { anyFailed, passed, skipped, type Check, type Finding } from '../../doctor/finding.ts';
import type { ExaminationNeeds } from '../../doctor/needs.ts';
import type { certManagerSettings } from '../settings.ts';
import { AskedAs } from './asked-as.ts';
import { examineCertificate } from './certificate.ts';
import { examineIssuerObject, examineKinds } from './kinds.ts';
import { probeRequests } from './request-probes.ts';
import { examineRights } from './rights.ts';

export interface CertManagerExamination extends ExaminationNeeds {
  readonly config: ValuesOf<typeof certManagerSettings> & {
    readonly issuerMode: 'direct' | 'intermediate' | undefined;
    readonly issuerTimeout: number;
  };
  readonly client: KubeConnection;
}

const sign: Check = { check: 'cert-manager.sign', title: 'signs our name' };
const reach: Check = { check: 'cert-manager.kube', title: 'the API server answers' };

/** Looks at cert-manager as the identity service would use it; requests on trial are removed again. */
export async function examineCertManager(examination: CertManagerExamination): Promise<Finding[]> {
  const { client, config, mesh, signal } = examination;
  const { controlNamespace: namespace, serviceAccount } = mesh;
  const { certManagerIssuerName: name, certManagerIssuerKind: kind, certManagerIssuerGroup: group } = config;
  const mode = config.issuerMode ?? 'intermediate';
  let asked: AskedAs;
  try {
    asked = await AskedAs.learn(client, { namespace, name: serviceAccount }, signal);
  } catch (error) {
    if (!isAppError(error)) throw error;
    return [failure(reach, error, 'kubeconfig')];
  }
  const direct = mode === 'direct';
  const kinds = await examineKinds(client, direct ? 'certificaterequests' : 'certificates', signal);
  const first = [whoFinding(asked), kinds];
  if (anyFailed(first)) return first;
  const issuerRef = { name, kind, group };
  const options = { mode, namespace, issuerRef, secret: config.certManagerSecret };
  const rights = await examineRights(asked, options, signal);
  const common = { ...examination, namespace };
  if (!direct) {
    return [...first, ...rights, ...(await examineCertificate({ ...common, secret: options.secret }))];
  }
  const issuer = await examineIssuerObject(client, issuerRef, namespace, signal);
  const missing = [...rights, issuer].some(({ check, result }) => result === 'fail' && !forbids(check));
  const timeoutMs = config.issuerTimeout;
  const probes = missing
    ? [skipped(sign, 'what it needs is missing')]
    : await probeIfAnchored({ ...common, issuerRef, timeoutMs });
  return [...first, ...rights, issuer, ...probes];
}

/** Whether a check is about something that should not be allowed: certificates can be had all the same. */
function forbids(check: string): boolean {
  return check.startsWith('cert-manager.no-');
}

async function probeIfAnchored(options: Parameters<typeof probeRequests>[0]): Promise<Finding[]> {
  if (options.bundle !== undefined) return probeRequests(options);
  return [skipped(sign, 'there are no trust anchors to verify it with')];
}

/** An approver that goes by who asks decides otherwise on somebody else's requests. */
function whoFinding({ user, isAccount }: AskedAs): Finding {
  if (isAccount) return passed(reach, `as ${user ?? 'somebody that it does not name'}`);
  return passed(
    reach,
    `as ${user ?? ''}, which is not the identity service: approvers may decide otherwise on its requests`,
  );
}
