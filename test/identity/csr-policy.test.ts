import { checkCsr, csrRuleNames } from '../../src/identity/csr-policy.ts';
import { createCsr, Csr } from '../../src/pki/csr.ts';
import { encodeName } from '../../src/pki/distinguished-name.ts';
import { sequence, setOf, oid, text } from '../../src/pki/der-writer.ts';
import { TAG } from '../../src/pki/der.ts';
import { generateKeyPair } from '../../src/pki/keys.ts';
import {
  basicConstraints,
  extendedKeyUsage,
  generalName,
  keyUsage,
  subjectAltName,
  testKeyPair,
  unknownExtension,
} from '../support/certificate-builder.ts';
import {
  buildCsr,
  challengePassword,
  extensionRequest,
  type TestCsrOptions,
} from '../support/csr-builder.ts';
import { refusal } from '../support/refusal.ts';
import { clientIdentity as web } from '../support/rpc-server.ts';

const check = (der: Uint8Array): void => checkCsr(Csr.parse(der), web);
const organization = sequence(setOf(sequence(oid('2.5.4.10'), text(TAG.utf8String, 'Evil'))));
const nameAndMore = sequence(
  setOf(sequence(oid('2.5.4.3'), text(TAG.utf8String, web.dnsName))),
  setOf(sequence(oid('2.5.4.10'), text(TAG.utf8String, 'Evil'))),
);

describe('checkCsr', () => {
  it('accepts what Kedge’s own proxy sends', () => {
    const key = generateKeyPair().privateKey;
    expect(() => check(createCsr({ key, dnsName: web.dnsName, uri: web.spiffeId }))).not.toThrow();
    expect(() => check(createCsr({ key, dnsName: web.dnsName }))).not.toThrow();
  });

  it('accepts what Linkerd’s proxy sends: the name as common name, too', () => {
    expect(() => check(buildCsr({ commonName: web.dnsName }))).not.toThrow();
  });

  it.each<[rule: string, what: string, options: TestCsrOptions]>([
    ['key', 'an RSA-1024 key', { keyType: 'RSA-1024' }],
    ['key', 'an RSA-2048 key', { keyType: 'RSA' }],
    ['key', 'a P-224 key', { keyType: 'P-224' }],
    ['key', 'a P-384 key', { keyType: 'P-384' }],
    ['key', 'an Ed25519 key', { keyType: 'Ed25519' }],
    ['self-signature', 'a signature of random bytes', { signature: 'garbage' }],
    ['self-signature', 'names that were changed after signing', { tampered: true }],
    ['self-signature', 'the key of somebody else', { carriedKey: testKeyPair() }],
    ['self-signature', 'a SHA-1 signature', { signature: 'sha1' }],
    ['attributes', 'a challenge password', { attributes: [challengePassword('x')] }],
    [
      'attributes',
      'a second extension request',
      { attributes: [extensionRequest(subjectAltName(false, generalName.dns('evil.example')))] },
    ],
    ['attributes', 'the names twice', { extensions: [subjectAltName(false, generalName.dns(web.dnsName))] }],
    ['subject', 'another common name', { commonName: 'evil.example' }],
    ['subject', 'an organization', { subject: organization }],
    ['subject', 'an organization beside the name', { subject: nameAndMore }],
    ['dns-name', 'no DNS name', { extensionRequest: false }],
    ['dns-name', 'another DNS name', { dnsNames: ['api.shop.serviceaccount.identity.kedge.cluster.local'] }],
    ['dns-name', 'two DNS names', { dnsNames: [web.dnsName, 'evil.example'] }],
    ['dns-name', 'its DNS name twice', { dnsNames: [web.dnsName, web.dnsName] }],
    ['dns-name', 'its DNS name in capitals', { dnsNames: [web.dnsName.toUpperCase()] }],
    ['dns-name', 'its DNS name with a dot behind', { dnsNames: [`${web.dnsName}.`] }],
    ['dns-name', 'a wildcard', { dnsNames: ['*.shop.serviceaccount.identity.kedge.cluster.local'] }],
    ['dns-name', 'its SPIFFE ID only', { dnsNames: [], uris: [web.spiffeId] }],
    ['spiffe-id', 'another SPIFFE ID', { uris: ['spiffe://cluster.local/ns/shop/sa/api'] }],
    ['spiffe-id', 'its SPIFFE ID and a further URI', { uris: [web.spiffeId, 'https://evil.example'] }],
    ['other-names', 'an IP address', { ips: [[10, 0, 0, 1]] }],
    ['other-names', 'an e-mail address', { emails: ['root@evil.example'] }],
    ['other-names', 'a directory name', { names: [generalName.directory(encodeName('evil'))] }],
    ['not-a-ca', 'CA:TRUE', { ca: true }],
    ['extensions', 'basic constraints, though not CA:TRUE', { extensions: [basicConstraints(false)] }],
    ['extensions', 'a key usage', { extensions: [keyUsage(0)] }],
    ['extensions', 'an extended key usage', { extensions: [extendedKeyUsage('1.3.6.1.5.5.7.3.3')] }],
    ['extensions', 'an extension that nobody knows', { extensions: [unknownExtension(false)] }],
  ])('refuses by the rule "%s" a request with %s', (rule, _, options) => {
    const refused = refusal(() => check(buildCsr(options)));
    expect(refused).toContain(`csr_refused: the signing request breaks the rule "${rule}": expected `);
  });

  it('has a case for every rule', () => {
    expect(csrRuleNames).toEqual([
      ...['key', 'self-signature', 'attributes', 'subject', 'dns-name'],
      ...['spiffe-id', 'other-names', 'not-a-ca', 'extensions'],
    ]);
  });

  it.each([
    ['bytes behind it', buildCsr({ trailing: Buffer.of(0) }), 'csr_malformed'],
    ['garbage', Buffer.from('garbage'), 'csr_malformed'],
    ['a megabyte', Buffer.alloc(1_000_000, 0x30), 'csr_too_large'],
  ])('never sees a request that is %s', (_, der, code) => {
    expect(refusal(() => check(der))).toContain(`${code}: `);
  });

  it('shows at most a little of what was asked for', () => {
    const dnsNames = Array.from({ length: 40 }, (_, at) => `${'x'.repeat(60)}.${at}.example`);
    const refused = refusal(() => check(buildCsr({ dnsNames })));
    expect(refused).toContain('and 37 more');
    expect(refused.length).toBeLessThan(600);
  });
});
