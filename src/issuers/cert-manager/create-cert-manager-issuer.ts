import { informer } from '../../kube/informer.ts';
import type { KubeConnection } from '../../kube/kube-watch.ts';
import { certificateRequests } from '../../kube/resources.ts';
import type { TrustBundle } from '../../pki/trust-bundle.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ValuesOf } from '../../runtime/env.ts';
import type { Latest } from '../../runtime/latest.ts';
import type { Log } from '../../runtime/log.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { CertManagerIssuer } from './cert-manager-issuer.ts';
import { CertificateRequests } from './certificate-requests.ts';
import { requestSelector } from './request-object.ts';
import { requestStateOf, type CertificateRequest, type RequestState } from './request-state.ts';
import type { certManagerSettings } from './settings.ts';

export interface CertManagerNeeds {
  readonly anchors: Latest<TrustBundle | undefined>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
  readonly kube: IssuerKube;
  /** Milliseconds that whoever asks waits for an answer. */
  readonly timeoutMs: number;
}

/** The API server as an issuer sees it. */
export interface IssuerKube {
  readonly client: KubeConnection;
  /** The control namespace. */
  readonly namespace: string;
  /** The name of this replica. */
  readonly replica: string;
}

/** The part of the time that a request is waited for, so that what it waits for is told before the caller gives up. */
const waitedFor = 0.9;
/** Whoever was told that it takes too long comes back within this. */
const keptMs = 60_000;

/** An issuer that asks cert-manager for each certificate. Its requests are followed, and the old ones removed, until the signal is aborted. */
export function createCertManagerIssuer(
  config: ValuesOf<typeof certManagerSettings>,
  { anchors, clock, log, metrics, signal, kube, timeoutMs }: CertManagerNeeds,
): CertManagerIssuer {
  const { client, namespace, replica } = kube;
  const followed = informer<RequestState, CertificateRequest>({
    ...{ client, clock, log, metrics, place: { namespace }, labelSelector: requestSelector },
    resource: certificateRequests,
    project: requestStateOf,
  });
  const requests = new CertificateRequests({
    ...{ client, namespace, followed, clock, log, signal },
    maxRequests: config.certManagerMaxRequests,
    maxAgeMs: timeoutMs + keptMs,
  });
  const { certManagerIssuerName: name, certManagerIssuerKind: kind, certManagerIssuerGroup: group } = config;
  const { synced, problem } = followed;
  const issuer = new CertManagerIssuer({
    ...{ requests, issuerRef: { name, kind, group }, replica, anchors, synced, problem, clock },
    timeoutMs: timeoutMs * waitedFor,
  });
  void followed.run(signal);
  void issuer.run(signal);
  return issuer;
}
