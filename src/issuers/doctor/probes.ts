import type { Certificate } from '../../pki/certificate.ts';
import { Csr } from '../../pki/csr.ts';
import { formatDuration } from '../../runtime/durations.ts';
import type { IssueRequest } from '../issuer.ts';
import { namesEnd, probeLifetimeMs, yearMs, type ExaminedMesh } from './needs.ts';
import { probeCsr, type ProbeNames } from './probe-csr.ts';

/** Something that a CA must not sign. */
export interface ForbiddenProbe {
  /** `foreign-dns-name`: the last part of the check. */
  readonly name: string;
  /** `does not sign ...` */
  readonly title: string;
  readonly names: ProbeNames;
  readonly lifetimeMs: number;
  /** What is in the certificate that should not be; undefined where it was left out. */
  readonly got: (certificate: Certificate) => string | undefined;
}

/** A name that nobody may have: `.invalid` is kept free for such (RFC 2606). */
const elsewhere = 'kedge-doctor.invalid';
/** Kept free for documentation (RFC 5737). */
const documentationIp = [192, 0, 2, 1] as const;

/** Whether a name is asked for in the signing request beside the one that it must have. */
export interface ProbeShape {
  readonly name: string;
  readonly title: string;
  readonly names: (mesh: ExaminedMesh) => ProbeNames;
}

/** How proxies ask. */
export const proxyShapes: readonly ProbeShape[] = [
  {
    name: 'sign',
    title: 'signs our name, as Kedge’s proxy asks',
    names: ({ identity }) => ({ dns: identity.dnsName, uri: identity.spiffeId }),
  },
  {
    name: 'sign-dns-only',
    title: 'signs our name, as Linkerd’s proxy asks',
    names: ({ identity }) => ({ dns: identity.dnsName }),
  },
];

/** What `Certify` would ask of the issuer for the identity service itself. */
export function probeRequest(
  mesh: ExaminedMesh,
  names: ProbeNames,
  now: Date,
  lifetimeMs = probeLifetimeMs,
): IssueRequest {
  const { identity } = mesh;
  const nowMs = Math.floor(now.getTime() / 1000) * 1000;
  return {
    identity,
    csr: Csr.parse(probeCsr(names)),
    dnsName: identity.dnsName,
    uri: identity.spiffeId,
    notBefore: new Date(nowMs - 20_000),
    notAfter: new Date(nowMs + lifetimeMs),
  };
}

/** What no CA of a mesh may sign, whoever asks. */
export function forbiddenProbes(mesh: ExaminedMesh): readonly ForbiddenProbe[] {
  const { identity, controlNamespace, trustDomain, serviceAccount } = mesh;
  const { dnsName: own, spiffeId } = identity;
  const dns = (name: string, what: string, wanted: string): ForbiddenProbe => ({
    name,
    title: `does not sign ${what}`,
    names: { dns: wanted },
    lifetimeMs: probeLifetimeMs,
    got: ({ sans }) => (sans.dns.includes(wanted) ? `a certificate for ${wanted}` : undefined),
  });
  const uri = `spiffe://${elsewhere}/ns/${controlNamespace}/sa/${serviceAccount}`;
  const foreign = `${serviceAccount}.${controlNamespace}.serviceaccount.identity.${controlNamespace}.${elsewhere}`;
  return [
    dns('foreign-dns-name', 'the DNS name of another trust domain', foreign),
    {
      name: 'foreign-spiffe-id',
      title: 'does not sign the SPIFFE ID of another trust domain',
      names: { dns: own, uri },
      lifetimeMs: probeLifetimeMs,
      got: ({ sans }) => (sans.uri.includes(uri) ? `a certificate for ${uri}` : undefined),
    },
    dns('service-name', 'the name of a Service', `kedge-doctor.${controlNamespace}.svc.${trustDomain}`),
    dns('wildcard', 'a wildcard', `*.${controlNamespace}.${namesEnd(mesh)}`),
    dns('localhost', 'localhost', 'localhost'),
    {
      name: 'ip-address',
      title: 'does not sign an IP address',
      names: { dns: own, ip: documentationIp },
      lifetimeMs: probeLifetimeMs,
      got: ({ sans }) =>
        sans.ip.length > 0 ? `a certificate for the IP address ${documentationIp.join('.')}` : undefined,
    },
    {
      name: 'ca',
      title: 'does not sign a CA',
      names: { dns: own, uri: spiffeId, ca: true },
      lifetimeMs: probeLifetimeMs,
      got: ({ isCa, keyUsage }) =>
        isCa || keyUsage?.has('keyCertSign') === true ? 'a certificate that signs others' : undefined,
    },
    {
      name: 'year',
      title: 'does not sign for a year',
      names: { dns: own, uri: spiffeId },
      lifetimeMs: yearMs,
      got: () => undefined,
    },
  ];
}

/** The lifetime of a certificate from now on, in milliseconds. */
export function lifetimeOf({ notAfter }: Certificate, now: Date): number {
  return notAfter.getTime() - now.getTime();
}

/** In whole minutes, or seconds below one. */
export function roundDuration(ms: number): string {
  const unit = ms >= 60_000 ? 60_000 : 1000;
  return formatDuration(Math.max(1, Math.round(ms / unit)) * unit);
}
