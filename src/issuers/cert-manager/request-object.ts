import { hash } from 'node:crypto';
import { encodePem } from '../../pki/pem.ts';
import { formatDuration } from '../../runtime/durations.ts';
import type { IssueRequest } from '../issuer.ts';

/** Any issuer that cert-manager knows by `issuerRef`. */
export interface IssuerReference {
  readonly name: string;
  /** `Issuer`, `ClusterIssuer`, or that of an external issuer. */
  readonly kind: string;
  readonly group: string;
}

/** The label that tells requests of the mesh from all others; those of all replicas. */
const requestLabel = { name: 'app.kubernetes.io/managed-by', value: 'kedge-identity' } as const;

export const requestSelector = `${requestLabel.name}=${requestLabel.value}`;

/** The replica that made it, for people. */
const replicaLabel = 'kedge.io/replica';

/** cert-manager counts the lifetime from when it signs, which is later than now, by a clock that may be ahead of ours. */
const clocksApartMs = 30_000;

/**
 * The same for whoever asks again with the same key for the same names: a retry that comes to another replica, after a crash of
 * the first one or past its deadline, finds the request where it stands and does not begin at the end of the line. That
 * cannot give anyone a certificate of others: the name says whose key it is, and the answer is verified.
 */
export function requestName(
  { csr, dnsName, uri }: IssueRequest,
  { name, kind, group }: IssuerReference,
): string {
  const asked = [dnsName, uri ?? '', csr.publicKey.spki.toString('base64'), name, kind, group];
  return `kedge-${hash('sha256', asked.join('\n'), 'hex').slice(0, 40)}`;
}

export interface RequestObjectOptions {
  readonly name: string;
  readonly replica: string;
  readonly issuerRef: IssuerReference;
  readonly now: Date;
  /** How long it may take until it is signed. */
  readonly timeoutMs: number;
}

/** A `CertificateRequest`; what it asks for ends, whenever it is signed in time, no later than the request does. */
export function requestObject(request: IssueRequest, options: RequestObjectOptions): object {
  const { name, replica, issuerRef, now, timeoutMs } = options;
  const lifetimeMs = request.notAfter.getTime() - now.getTime();
  const marginMs = Math.min(timeoutMs + clocksApartMs, lifetimeMs / 10);
  const seconds = Math.max(1, Math.floor((lifetimeMs - marginMs) / 1000));
  return {
    metadata: {
      name,
      labels: { [requestLabel.name]: requestLabel.value, [replicaLabel]: labelValue(replica) },
    },
    spec: {
      request: Buffer.from(encodePem('CERTIFICATE REQUEST', request.csr.der)).toString('base64'),
      duration: formatDuration(seconds * 1000),
      isCA: false,
      usages: ['digital signature', 'server auth', 'client auth'],
      issuerRef,
    },
  };
}

/** A host name may be longer than a label's value, and be cut off where none may end. */
function labelValue(text: string): string {
  return text.slice(0, 63).replace(/[^A-Za-z0-9]+$/, '');
}
