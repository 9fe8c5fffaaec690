import { Certificate } from '../../../src/pki/certificate.ts';
import { OID } from '../../../src/pki/oids.ts';
import type { Answer } from '../../../src/issuers/issued-rules.ts';
import { extension, generalName, testKeyPair } from '../../support/certificate-builder.ts';
import type { TestCaOptions, TestLeafOptions } from '../../support/test-ca.ts';
import { TestCa } from '../../support/test-ca.ts';
import { answerOf, later, now, request } from './issue-request.ts';
import { leafBytes, serial } from './leaf-variants.ts';

/** What is made wrong in an answer that is otherwise as asked for, and the rule that must refuse it. */
export interface WrongAnswer {
  readonly rule: string;
  readonly what: string;
  /** Below the root; `ca` is what would have signed an honest answer. */
  readonly make: (ca: TestCa, root: TestCa) => Answer;
  /** openssl, asked whether the chain verifies for a TLS server, refuses it as well. */
  readonly opensslToo?: true;
}

const hour = 3_600_000;
const { dns, uri, email, ip } = generalName;
const [dnsName, spiffeId] = [request.dnsName, request.uri ?? ''];

/** A leaf that is not what was asked for, by the right CA. */
const leaf = (rule: string, what: string, options: TestLeafOptions): WrongAnswer => ({
  ...{ rule, what },
  make: (ca) => answerOf(ca, options),
});

/** An honest leaf below a CA that is not as it should be. */
const below = (rule: string, what: string, options: TestCaOptions): WrongAnswer => ({
  ...{ rule, what },
  make: (_, root) => answerOf(root.intermediate(options)),
});

const names: readonly WrongAnswer[] = [
  leaf('names', 'another name', { names: [dns('evil.example'), uri(spiffeId)] }),
  leaf('names', 'a further name', { names: [dns(dnsName), dns('evil.example'), uri(spiffeId)] }),
  leaf('names', 'the same name twice', { names: [dns(dnsName), dns(dnsName), uri(spiffeId)] }),
  leaf('names', 'a wildcard beside', { names: [dns(dnsName), dns('*.cluster.local'), uri(spiffeId)] }),
  leaf('names', 'the name in capital letters', { names: [dns(dnsName.toUpperCase()), uri(spiffeId)] }),
  leaf('names', 'a dot at the end of the name', { names: [dns(`${dnsName}.`), uri(spiffeId)] }),
  leaf('names', 'no SPIFFE ID', { names: [dns(dnsName)] }),
  leaf('names', 'no DNS name', { names: [uri(spiffeId)] }),
  leaf('names', 'another SPIFFE ID', { names: [dns(dnsName), uri('spiffe://x/y')] }),
  leaf('names', 'the SPIFFE ID first', { names: [uri(spiffeId), dns(dnsName)] }),
  leaf('names', 'no names', { names: [] }),
  leaf('names', 'an IP address', { names: [dns(dnsName), uri(spiffeId), ip(10, 0, 0, 1)] }),
  leaf('names', 'an e-mail address', { names: [dns(dnsName), uri(spiffeId), email('a@b.c')] }),
  leaf('names', 'another common name', { commonName: 'evil.example' }),
  leaf('names', 'a common name with a comma', { commonName: `${dnsName},CN=${dnsName}` }),
  leaf('names', 'two thousand names', {
    names: Array.from({ length: 2_000 }, (_, at) => dns(`n${at}.evil.example`)),
  }),
];

const rights: readonly WrongAnswer[] = [
  leaf('key', 'another key', { keyPair: testKeyPair() }),
  leaf('not-a-ca', 'the CA flag', { isCa: true }),
  leaf('key-usage', 'no key usage', { keyUsage: null }),
  leaf('key-usage', 'a key usage without signatures', { keyUsage: [2] }),
  leaf('key-usage', 'the right to sign certificates', { keyUsage: [0, 5] }),
  leaf('key-usage', 'the right to sign revocations', { keyUsage: [0, 6] }),
  leaf('extended-key-usage', 'no extended key usage', { extendedKeyUsage: null }),
  leaf('extended-key-usage', 'serverAuth alone', { extendedKeyUsage: [OID.serverAuth] }),
  leaf('extended-key-usage', 'clientAuth alone', { extendedKeyUsage: [OID.clientAuth] }),
  leaf('extended-key-usage', 'any usage beside ours', {
    extendedKeyUsage: [OID.serverAuth, OID.clientAuth, OID.anyExtendedKeyUsage],
  }),
  leaf('extended-key-usage', 'code signing beside ours', {
    extendedKeyUsage: [OID.serverAuth, OID.clientAuth, '1.3.6.1.5.5.7.3.3'],
  }),
];

const serials: readonly WrongAnswer[] = ['00', '01', '07d0', 'ffffffff', '7fffffffff'].map((hex) => ({
  rule: 'serial',
  what: `the serial number ${hex}, which has been counted`,
  make: (ca) => {
    const answer = answerOf(ca);
    return {
      ...answer,
      issued: { ...answer.issued, leaf: Certificate.parse(leafBytes(ca, { serial: serial(hex) })) },
    };
  },
}));

const times: readonly WrongAnswer[] = [
  leaf('lifetime', 'a life that is a second too long', { notAfter: later(hour + 1_000) }),
  leaf('lifetime', 'a life of ten years', { notAfter: later(87_600 * hour) }),
  leaf('lifetime', 'a life that has not begun', { notBefore: later(60_000) }),
  { ...leaf('lifetime', 'a life that is over', { notAfter: later(-1_000) }), opensslToo: true },
  leaf('lifetime', 'a life that ends now', { notAfter: now }),
  leaf('lifetime', 'an end before its start', { notBefore: later(-1_000), notAfter: later(-2_000) }),
  { ...below('chain', 'a CA that has ended', { notAfter: later(-1_000) }), opensslToo: true },
  {
    ...below('chain', 'a CA that has not begun', { notBefore: later(hour), notAfter: later(2 * hour) }),
    opensslToo: true,
  },
  below('chain', 'a CA that ends before it', { notAfter: later(60_000) }),
  {
    rule: 'chain',
    what: 'an anchor that ends before it',
    make: () => answerOf(TestCa.create({ notAfter: later(60_000) })),
  },
  {
    rule: 'chain',
    what: 'an anchor that has ended',
    make: () => answerOf(TestCa.create({ notAfter: later(-1_000) })),
    opensslToo: true,
  },
];

const chains: readonly WrongAnswer[] = [
  {
    rule: 'chain',
    what: 'a signature by an unknown CA',
    make: (_, root) => ({ ...answerOf(TestCa.create().intermediate()), bundle: root.bundle }),
    opensslToo: true,
  },
  {
    rule: 'chain',
    what: 'no intermediates',
    make: (ca) => ({ ...answerOf(ca), issued: { ...answerOf(ca).issued, intermediates: [] } }),
    opensslToo: true,
  },
  {
    rule: 'chain',
    what: 'an intermediate of another root under the same name',
    make: (ca) => {
      const commonName = ca.certificate.subject.replace('CN=', '');
      const other = TestCa.create().intermediate({ commonName });
      return { ...answerOf(ca), issued: { ...answerOf(ca).issued, intermediates: other.intermediates } };
    },
    opensslToo: true,
  },
  {
    rule: 'chain',
    what: 'an intermediate missing in the middle',
    make: (ca) => {
      const deep = ca.intermediate();
      return { ...answerOf(deep), issued: { ...answerOf(deep).issued, intermediates: [deep.certificate] } };
    },
    opensslToo: true,
  },
  { ...leaf('chain', 'a signature that does not verify', { signature: 'garbage' }), opensslToo: true },
  { ...below('chain', 'an issuer that is no CA', { isCa: false }), opensslToo: true },
  { ...below('chain', 'an issuer that may not sign', { keyUsage: [0, 6] }), opensslToo: true },
  below('chain', 'an issuer for servers only', { extendedKeyUsage: [OID.serverAuth] }),
  {
    rule: 'chain',
    what: 'an issuer below one that may have none below it',
    make: (_, root) => answerOf(root.intermediate({ pathLength: 0 }).intermediate()),
    opensslToo: true,
  },
  {
    rule: 'chain',
    what: 'eight CAs above it',
    make: (_, root) => answerOf(deeper(root, 8)),
  },
];

const foreign: readonly WrongAnswer[] = [
  {
    ...leaf('extensions', 'a critical extension that nobody knows', { unknownCritical: true }),
    opensslToo: true,
  },
  { ...below('extensions', 'one on its issuer', { unknownCritical: true }), opensslToo: true },
  below('constraints', 'a URI constraint on its issuer', {
    permittedUri: ['cluster.local'],
  }),
  below('constraints', 'a URI constraint that is not critical', {
    permittedUri: ['cluster.local'],
    constraintsCritical: false,
  }),
  below('constraints', 'an IP constraint on its issuer', {
    subtrees: { excluded: [ip(0, 0, 0, 0, 0, 0, 0, 0)] },
  }),
  {
    ...below('constraints', 'an issuer for other names', { permittedDns: ['other.example'] }),
    opensslToo: true,
  },
  {
    ...below('constraints', 'an issuer for all but this name', { excludedDns: [dnsName] }),
    opensslToo: true,
  },
  {
    rule: 'constraints',
    what: 'a URI constraint on its anchor',
    make: () => answerOf(TestCa.create({ permittedUri: ['cluster.local'] }).intermediate()),
  },
];

/** Slow to make. */
const rsaRoot = TestCa.create({ keyType: 'RSA' });
const poorKeys = (['RSA-1024', 'P-224', 'P-521'] as const).map((type) => ({
  type,
  keyPair: testKeyPair(type),
}));

const algorithms: readonly WrongAnswer[] = [
  ...(['sha1', 'sha512'] as const).map((signature): WrongAnswer => ({
    rule: 'algorithm',
    what: `a signature by ECDSA with ${signature}`,
    make: () => answerOf(TestCa.create().intermediate(), { signature }),
  })),
  ...(['rsa-pss', 'sha1', 'md5'] as const).map((signature): WrongAnswer => ({
    rule: 'algorithm',
    what: `the signature ${signature} of an RSA CA`,
    make: () => answerOf(rsaRoot, { signature }),
  })),
  ...(['rsa-pss', 'sha1', 'md5'] as const).map((signature): WrongAnswer => ({
    rule: 'algorithm',
    what: `an issuer that was signed by ${signature}`,
    make: () => answerOf(rsaRoot.intermediate({ signature })),
  })),
  ...poorKeys.map(({ type, keyPair }) => below('algorithm', `an issuer with a key of ${type}`, { keyPair })),
];

const sizes: readonly WrongAnswer[] = [
  {
    rule: 'size',
    what: 'more certificates than anybody needs',
    make: (ca) =>
      withMore(
        ca,
        Array.from({ length: 33 }, () => ca.certificate),
      ),
  },
  {
    rule: 'size',
    what: 'a certificate of 60,000 bytes',
    make: (ca, root) => withMore(ca, [root.intermediate({ extraExtensions: [filler(60_000)] }).certificate]),
  },
  leaf('size', 'sixty thousand bytes of its own', { extraExtensions: [filler(60_000)] }),
];

/** Every way to be wrong, each in one respect only. */
export const wrongAnswers: readonly WrongAnswer[] = [
  ...[...sizes, ...rights, ...names, ...serials, ...times],
  ...[...algorithms, ...foreign, ...chains],
];

function deeper(ca: TestCa, levels: number): TestCa {
  return levels === 0 ? ca : deeper(ca.intermediate(), levels - 1);
}

function withMore(ca: TestCa, more: readonly Certificate[]): Answer {
  const answer = answerOf(ca);
  return { ...answer, issued: { ...answer.issued, intermediates: [ca.certificate, ...more] } };
}

function filler(bytes: number): Buffer {
  return extension('1.3.6.1.4.1.55555.1.2', false, Buffer.alloc(bytes));
}
