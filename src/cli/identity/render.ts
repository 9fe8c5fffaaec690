import { formatDate, formatLength } from '../lifetime.ts';
import type { Paint } from '../table.ts';
import { printable, table } from '../table.ts';
import type { CertificateView } from './describe.ts';
import type { IdentityReport } from './inspect-identity.ts';
import type { Verification } from './verify-identity.ts';

/** The report for people: a table a certificate, then the verdict. */
export function renderIdentity(report: IdentityReport, paint: Paint): string {
  const { certificates, server } = report;
  const count = certificates.length === 1 ? '1 certificate' : `${certificates.length} certificates`;
  const over = server
    ? ` over ${[server.protocol, server.group, server.cipher].filter(Boolean).join(', ')}`
    : '';
  const tables = certificates.map((certificate, index) => {
    const kind = certificate.isCa ? 'CA' : 'workload';
    const title = `${kind} certificate${certificates.length > 1 ? `, ${index + 1} of ${certificates.length}` : ''}`;
    return `${paint.strong(title)}\n${table(rowsOf(certificate, paint), { indent: 2 })}`;
  });
  const verdict = table([['verifies', verdictOf(report.verification, report.anchorsFile, paint)]]);
  return [`${printable(report.target)}: ${count}${over}\n`, ...tables, verdict].join('\n');
}

function rowsOf(certificate: CertificateView, paint: Paint): string[][] {
  const { dnsNames, uris, subject } = certificate;
  const names = [...dnsNames.map((name) => `DNS ${name}`), ...uris.map((uri) => `URI ${uri}`)];
  return [
    ...(subject === '' ? [] : [['subject', printable(subject)]]),
    ...(names.length === 0 ? [] : [['names', names.map(printable).join('\n')]]),
    ['issuer', printable(certificate.issuer)],
    ['key', certificate.key],
    ['from', formatDate(new Date(certificate.notBefore))],
    ['until', formatDate(new Date(certificate.notAfter))],
    ['remaining', remainingOf(certificate, paint)],
    ['sha256', certificate.sha256],
  ];
}

function remainingOf({ remainingSeconds }: CertificateView, paint: Paint): string {
  const length = formatLength(remainingSeconds * 1000);
  return remainingSeconds < 0 ? paint.bad(`expired ${length} ago`) : length;
}

function verdictOf(verification: Verification, anchorsFile: string | undefined, paint: Paint): string {
  switch (verification.state) {
    case 'not checked':
      return paint.dim('not checked (give the trust anchors with --anchors FILE)');
    case 'verified':
      return [paint.good('yes'), ...pathOf(verification.path, anchorsFile ?? '')].join('\n');
    case 'failed':
      return `${paint.bad('no')}: ${printable(verification.reason)} (${verification.code})`;
  }
}

function pathOf([subject = '', ...issuers]: readonly string[], anchorsFile: string): string[] {
  const names = [subject, ...issuers.map((issuer) => `issued by ${issuer}`)].map(printable);
  const anchor = `${names.pop() ?? ''}, an anchor of ${printable(anchorsFile)}`;
  return [...names, anchor];
}
