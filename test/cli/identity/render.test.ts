import { Writable } from 'node:stream';
import type { CertificateView } from '../../../src/cli/identity/describe.ts';
import { describeCertificate } from '../../../src/cli/identity/describe.ts';
import { renderIdentity } from '../../../src/cli/identity/render.ts';
import { paint } from '../../../src/cli/table.ts';
import { TestCa } from '../../support/test-ca.ts';

const plain = paint(new Writable());
const at = new Date('2026-11-21T21:00:00Z');

const view = (more: Partial<CertificateView> = {}): CertificateView => ({
  subject: '',
  dnsNames: ['api.shop.serviceaccount.identity.kedge.cluster.local'],
  uris: ['spiffe://cluster.local/ns/shop/sa/api'],
  issuer: 'CN=identity.kedge.cluster.local',
  isCa: false,
  key: 'EC P-256',
  notBefore: '2026-11-21T20:59:40.000Z',
  notAfter: '2026-11-22T20:59:59.000Z',
  remainingSeconds: 86_399,
  serial: '0a',
  sha256: 'ab'.repeat(32),
  ...more,
});

describe('the report on an identity', () => {
  it('is a table for each certificate, then the verdict', () => {
    const text = renderIdentity(
      {
        target: 'api.pem',
        certificates: [view()],
        anchorsFile: 'ca.crt',
        verification: { state: 'verified', path: ['api', 'CN=identity', 'CN=root'] },
      },
      plain,
    );
    expect(text).toBe(`api.pem: 1 certificate

workload certificate
  names      DNS api.shop.serviceaccount.identity.kedge.cluster.local
             URI spiffe://cluster.local/ns/shop/sa/api
  issuer     CN=identity.kedge.cluster.local
  key        EC P-256
  from       2026-11-21 20:59:40Z
  until      2026-11-22 20:59:59Z
  remaining  23h59m
  sha256     ${'ab'.repeat(32)}

verifies  yes
          api
          issued by CN=identity
          issued by CN=root, an anchor of ca.crt
`);
  });

  it('says since when a certificate has expired, and why a chain does not hold', () => {
    const text = renderIdentity(
      {
        target: 'api.pem',
        certificates: [view({ remainingSeconds: -5400 })],
        anchorsFile: 'ca.crt',
        verification: { state: 'failed', code: 'chain_expired', reason: 'it is over' },
      },
      plain,
    );
    expect(text).toContain('remaining  expired 1h30m ago\n');
    expect(text).toContain('verifies  no: it is over (chain_expired)\n');
  });

  it('shows no control character of a certificate or a file name to the terminal', () => {
    const hostile = '\u001b[2Jroot\u202e';
    const text = renderIdentity(
      {
        target: hostile,
        certificates: [view({ subject: hostile, dnsNames: [hostile], uris: [hostile], issuer: hostile })],
        anchorsFile: hostile,
        verification: { state: 'verified', path: [hostile] },
      },
      plain,
    );
    expect(text).not.toContain('\u001b');
    expect(text).not.toContain('\u202e');
    expect(text.match(/\\u\{1b\}\[2Jroot\\u\{202e\}/g)).toHaveLength(7);
  });
});

describe('describeCertificate', () => {
  it('counts the seconds that remain, to the past as well', () => {
    const { certificate } = TestCa.create().leaf({
      notBefore: new Date(at.getTime() - 60_000),
      notAfter: new Date(at.getTime() + 90_000),
    });
    expect(describeCertificate(certificate, at).remainingSeconds).toBe(90);
    expect(describeCertificate(certificate, new Date(at.getTime() + 91_500)).remainingSeconds).toBe(-2);
  });
});
