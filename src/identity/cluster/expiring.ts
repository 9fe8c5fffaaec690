import { issuerObjects } from '../../issuers/issuer-objects.ts';
import type { IssuerState } from '../../issuers/issuer.ts';
import type { ObjectReference } from '../../kube/event-series.ts';
import type { Expiring } from '../../kube/expiry-alerts.ts';
import type { Certificate } from '../../pki/certificate.ts';
import type { TrustBundle } from '../../pki/trust-bundle.ts';
import { anchorsPlace } from '../anchors-place.ts';
import type { IdentityConfig } from './cluster.ts';

/** What is in use and ends. */
export interface InUse {
  readonly anchors: TrustBundle | undefined;
  readonly issuer: IssuerState;
  /** The certificate of an admission webhook. */
  readonly webhook: Certificate | undefined;
}

/** Each with the object that holds it, or the service where files do. */
export function expiringNow(
  config: IdentityConfig,
  service: ObjectReference,
  { anchors, issuer, webhook }: InUse,
): Expiring[] {
  const { controlNamespace, webhookCertificateSecret } = config;
  const holder = (kind: string, name: string | undefined, namespace = controlNamespace): ObjectReference =>
    name === undefined ? service : { apiVersion: 'v1', kind, namespace, name };
  const place = anchorsPlace(config);
  const anchorHolder = holder('ConfigMap', place?.name, place?.namespace);
  const expiring: Expiring[] = (anchors?.anchors ?? []).map((anchor) =>
    endOf('trust anchor', anchorHolder, anchor),
  );
  if (issuer.state === 'ready' && issuer.fingerprint !== undefined) {
    const { fingerprint, notBefore, notAfter } = issuer;
    const regarding = holder('Secret', issuerObjects(config).secret);
    expiring.push(endOf('issuer', regarding, { fingerprint, notBefore, notAfter }));
  }
  if (webhook !== undefined) {
    expiring.push(endOf('webhook certificate', holder('Secret', webhookCertificateSecret), webhook));
  }
  return expiring;
}

function endOf(
  what: string,
  regarding: ObjectReference,
  { fingerprint, notBefore, notAfter }: Pick<Expiring, 'fingerprint' | 'notBefore' | 'notAfter'>,
): Expiring {
  return { what, regarding, fingerprint, notBefore, notAfter };
}
