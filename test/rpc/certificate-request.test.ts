import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Csr } from '../../src/pki/csr.ts';
import { PublicKey } from '../../src/pki/public-key.ts';
import { acceptAnswer, createRequest, readToken } from '../../src/rpc/certificate-request.ts';
import type { CertifyResponse } from '../../src/rpc/identity-api.ts';
import { generalName, testKeyPair } from '../support/certificate-builder.ts';
import { refusal, refusalOf } from '../support/refusal.ts';
import { clientIdentity, serverIdentity } from '../support/rpc-server.ts';
import { TestCa } from '../support/test-ca.ts';
import type { TestLeaf, TestLeafOptions } from '../support/test-ca.ts';

const identity = clientIdentity;
const token = Buffer.from('token');
const key = testKeyPair().privateKey;

describe('a request for a certificate', () => {
  it('asks for the DNS name and the SPIFFE ID, signed with the key', () => {
    const request = createRequest(identity, { token, key, withUri: true });
    const csr = Csr.parse(request.certificateSigningRequest);
    expect(request).toMatchObject({ identity: identity.dnsName, token });
    expect(csr.sans).toMatchObject({ dns: [identity.dnsName], uri: [identity.spiffeId], ip: [], email: [] });
    expect(csr.verifySignature()).toBe(true);
    expect(csr.publicKey.equals(PublicKey.of(key))).toBe(true);
  });

  it('asks for the DNS name alone where the service takes no URI', () => {
    const request = createRequest(identity, { token, key, withUri: false });
    expect(Csr.parse(request.certificateSigningRequest).sans.uri).toEqual([]);
  });
});

describe('a token', () => {
  const signal = new AbortController().signal;
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'kedge-token-'))));
  afterEach(() => rm(folder, { recursive: true }));

  it('is taken byte for byte, with the line end that the file may have', async () => {
    const file = path.join(folder, 'token');
    await writeFile(file, 'header.body.signature\n');
    expect((await readToken(file, signal)).toString()).toBe('header.body.signature\n');
  });

  it('is missed when the file is', async () => {
    const file = path.join(folder, 'none');
    expect(await refusalOf(readToken(file, signal))).toMatch(
      /^token_unreadable: expected a token in .*none: ENOENT/,
    );
  });

  it.each(['', '\n', ' \r\n\t'])('is missed when the file holds only %j', async (content) => {
    const file = path.join(folder, 'token');
    await writeFile(file, content);
    expect(await refusalOf(readToken(file, signal))).toBe(
      `token_unreadable: expected a token in ${file}, got an empty file`,
    );
  });

  it('is not read after the deadline', async () => {
    const late = AbortSignal.abort(new Error('too late'));
    await expect(readToken(path.join(folder, 'token'), late)).rejects.toThrow('too late');
  });
});

describe('an answer of the identity service', () => {
  const root = TestCa.create();
  const issuer = root.intermediate();
  const keyPair = testKeyPair();
  const now = new Date();

  function answerOf(leaf: TestLeaf): CertifyResponse {
    return {
      leafCertificate: leaf.certificate.der,
      intermediateCertificates: leaf.chain.slice(1).map(({ der }) => der),
      validUntil: leaf.certificate.notAfter,
    };
  }

  function answer(options: TestLeafOptions = {}, ca = issuer): CertifyResponse {
    return answerOf(ca.leaf({ identity, keyPair, ...options }));
  }

  function accept(given: CertifyResponse) {
    return acceptAnswer(given, { identity, key: keyPair.privateKey, bundle: root.bundle, now });
  }

  it('becomes credentials: leaf, intermediates without the root, our key and the anchors it was judged by', () => {
    const given = answer();
    const withRoot = {
      ...given,
      intermediateCertificates: [...given.intermediateCertificates, root.certificate.der],
    };
    const { credentials, validUntil } = accept(withRoot);
    expect(credentials.chain.map(({ der }) => der)).toEqual([given.leafCertificate, issuer.certificate.der]);
    expect(credentials).toMatchObject({ identity, key: keyPair.privateKey });
    expect(credentials.bundle.equals(root.bundle)).toBe(true);
    expect(validUntil).toEqual(given.validUntil);
  });

  it('may name the DNS name alone', () => {
    const names = [generalName.dns(identity.dnsName)];
    expect(accept(answer({ names })).credentials.leaf.sans.uri).toEqual([]);
  });

  it('may come from an anchor directly', () => {
    expect(accept(answer({}, root)).credentials.chain).toHaveLength(1);
  });

  it('ends when its first certificate ends, whatever is said of the leaf', () => {
    const end = new Date(Math.floor(now.getTime() / 1000) * 1000 + 60_000);
    const brief = root.intermediate({ notAfter: end });
    expect(accept(answer({}, brief)).validUntil).toEqual(end);
    expect(accept({ ...answer(), validUntil: new Date(now.getTime() + 5000) }).validUntil).toEqual(
      new Date(now.getTime() + 5000),
    );
  });

  const bad: [string, () => CertifyResponse, RegExp][] = [
    [
      'for another key',
      () => answer({ keyPair: testKeyPair() }),
      /for the key of the request, got one for another/,
    ],
    [
      'for another identity',
      () => answer({ identity: serverIdentity }),
      /expected the names web\.shop.*, got kedge-identity/,
    ],
    [
      'with a second DNS name',
      () => answer({ names: [generalName.dns(identity.dnsName), generalName.dns('b.test')] }),
      /got web\.shop.*, b\.test/,
    ],
    [
      'with another URI',
      () => answer({ names: [generalName.dns(identity.dnsName), generalName.uri('spiffe://x/y')] }),
      /got web\.shop.*, spiffe:\/\/x\/y/,
    ],
    [
      'with an IP address',
      () => answer({ names: [generalName.dns(identity.dnsName), generalName.ip(10, 0, 0, 1)] }),
      /1 names of other types/,
    ],
    ['without any name', () => answer({ names: [], commonName: identity.dnsName }), /got none/],
    ['of a CA we do not trust', () => answer({}, TestCa.create()), /got only the anchors/],
    [
      'without its intermediate',
      () => ({ ...answer(), intermediateCertificates: [] }),
      /among the intermediates/,
    ],
    ['for clients only', () => answer({ extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] }), /./],
    ['that has expired', () => answer({ notAfter: new Date(now.getTime() - 5000) }), /./],
    ['without its end', () => ({ ...answer(), validUntil: undefined }), /expected valid_until, got none/],
    [
      'whose end is said to be past',
      () => ({ ...answer(), validUntil: new Date(now.getTime() - 1) }),
      /expected an end after/,
    ],
    [
      'that is no certificate',
      () => ({ ...answer(), leafCertificate: Buffer.from('-----BEGIN') }),
      /certificate/,
    ],
    [
      'with an intermediate that is none',
      () => ({ ...answer(), intermediateCertificates: [Buffer.from('x')] }),
      /certificate/,
    ],
  ];
  it.each(bad)('is refused when it is a certificate %s', (_, make, message) => {
    const refused = refusal(() => accept(make()));
    expect(refused).toMatch(/^certificate_refused: the identity service's answer is refused: /);
    expect(refused).toMatch(message);
  });
});
