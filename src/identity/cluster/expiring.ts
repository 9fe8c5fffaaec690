import { issuerObjects } from '../../issuers/issuer-objects.ts';
import type { IssuerState } from '../../issuers/issuer.ts';
import type { ObjectReference } from '../../kube/event-series.ts';
import type { Expiring } from '../../kube/expiry-alerts.ts';
import type { TrustBundle } from '../../pki/trust-bundle.ts';
import { anchorsPlace } from '../anchors-place.ts';
import type { IdentityConfig } from './cluster.ts';

/** The anchors and the issuer in use, each with the object that holds it, or the service where files do. */
export function expiringNow(
  config: IdentityConfig,
  service: ObjectReference,
  anchors: TrustBundle | undefined,
  issuer: IssuerState,
): Expiring[] {
  const { controlNamespace } = config;
  const holder = (kind: string, name: string | undefined, namespace = controlNamespace): ObjectReference =>
    name === undefined ? service : { apiVersion: 'v1', kind, namespace, name };
  const place = anchorsPlace(config);
  const anchorHolder = holder('ConfigMap', place?.name, place?.namespace);
  const ends: Expiring[] = (anchors?.anchors ?? []).map(({ fingerprint, notBefore, notAfter }) => ({
    what: 'trust anchor',
    regarding: anchorHolder,
    fingerprint,
    notBefore,
    notAfter,
  }));
  if (issuer.state !== 'ready' || issuer.fingerprint === undefined) return ends;
  const { fingerprint, notBefore, notAfter } = issuer;
  const regarding = holder('Secret', issuerObjects(config).secret);
  return [...ends, { what: 'issuer', regarding, fingerprint, notBefore, notAfter }];
}
