import type { KubeObject } from '../../kube/kube-object.ts';
import { shownText } from './shown-text.ts';

/** A `CertificateRequest` as far as it is read (cert-manager.io/v1). */
export interface CertificateRequest extends KubeObject {
  readonly status?: {
    readonly conditions?: readonly RequestCondition[] | null;
    /** PEM in base64. */
    readonly certificate?: string | null;
    readonly ca?: string | null;
  };
}

export interface RequestCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

/** What has become of a request. It goes through one of them at most once: none but a pending one ever changes. */
export type Verdict = 'pending' | 'issued' | 'denied' | 'invalid' | 'failed';

/** What is kept of a request. */
export interface RequestState {
  /** Another one of the same name is another request. */
  readonly uid: string;
  readonly createdMs: number;
  readonly verdict: Verdict;
  /** Why, in cert-manager's words, made short. */
  readonly reason: string;
  /** PEM; the leaf and whatever the issuer sent along, and what it calls its CA. */
  readonly certificate?: string;
  readonly ca?: string;
}

export function requestStateOf({ metadata, status }: CertificateRequest): RequestState {
  const common = {
    uid: metadata.uid ?? '',
    createdMs: Date.parse(metadata.creationTimestamp ?? '') || 0,
  };
  const { verdict, reason } = judged(status?.conditions ?? []);
  const { certificate, ca } = status ?? {};
  // Some issuers set the condition before the certificate.
  if (verdict !== 'issued' || !certificate) {
    return { ...common, verdict: verdict === 'issued' ? 'pending' : verdict, reason };
  }
  return { ...common, verdict, reason, certificate: text(certificate), ...(ca && { ca: text(ca) }) };
}

function judged(conditions: readonly RequestCondition[]): Pick<RequestState, 'verdict' | 'reason'> {
  const isTrue = (type: string): RequestCondition | undefined =>
    conditions.find((one) => one.type === type && one.status === 'True');
  const [denied, invalid] = [isTrue('Denied'), isTrue('InvalidRequest')];
  if (denied) return { verdict: 'denied', reason: said(denied) };
  if (invalid) return { verdict: 'invalid', reason: said(invalid) };
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') return { verdict: 'issued', reason: said(ready) };
  if (ready?.reason === 'Denied') return { verdict: 'denied', reason: said(ready) };
  if (ready?.reason === 'Failed') return { verdict: 'failed', reason: said(ready) };
  if (!isTrue('Approved')) return { verdict: 'pending', reason: 'nobody has approved or denied it yet' };
  return {
    verdict: 'pending',
    reason: ready === undefined ? 'approved, and taken up by no issuer yet' : said(ready),
  };
}

function said({ reason = '', message = '' }: RequestCondition): string {
  return [reason, message]
    .filter((part) => part !== '')
    .map(shownText)
    .join(': ');
}

function text(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
