import { createAnchor, createIntermediate } from '../../src/pki/authority.ts';
import { caKeyPair } from '../../src/pki/ca-key-pair.ts';
import { PublicKey } from '../../src/pki/public-key.ts';
import { signLeaf } from '../../src/pki/sign-leaf.ts';
import { TrustBundle } from '../../src/pki/trust-bundle.ts';
import { verifyChain } from '../../src/pki/verify-chain.ts';
import type { TestKeyType } from '../support/certificate-builder.ts';
import { testKeyPair } from '../support/certificate-builder.ts';
import { itWithOpenssl, openssl } from '../support/openssl.ts';
import { refusal, refusalOf } from '../support/refusal.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const DAY = 24 * 3_600_000;
const DNS = 'web.shop.serviceaccount.identity.kedge.cluster.local';

async function hierarchy(anchorKey?: TestKeyType) {
  const key = anchorKey === undefined ? {} : { key: testKeyPair(anchorKey).privateKey };
  const anchor = await createAnchor({ commonName: 'root.kedge', lifetimeMs: 3650 * DAY, now: NOW, ...key });
  const pair = testKeyPair();
  const certificate = await createIntermediate({
    issuer: anchor,
    publicKey: PublicKey.of(pair.publicKey),
    commonName: 'identity.kedge',
    pathLength: 0,
    notBefore: NOW,
    notAfter: new Date(NOW.getTime() + 365 * DAY),
    permittedDns: ['cluster.local'],
  });
  return { anchor, issuer: caKeyPair([certificate], pair.privateKey) };
}

describe('createAnchor', () => {
  it('makes a CA that signs certificates and lists, from a little before now for its lifetime', async () => {
    const { certificate, key, chain } = await createAnchor({
      commonName: 'root.kedge',
      lifetimeMs: 3650 * DAY,
      now: NOW,
    });
    expect(certificate).toMatchObject({
      subject: 'CN=root.kedge',
      issuer: 'CN=root.kedge',
      isCa: true,
      pathLength: undefined,
    });
    expect(certificate.keyUsage).toEqual(new Set(['keyCertSign', 'cRLSign']));
    expect(certificate.notBefore.toISOString()).toBe('2026-11-21T11:55:00.000Z');
    expect(certificate.notAfter.toISOString()).toBe('2036-11-18T12:00:00.000Z');
    expect(certificate.publicKey.algorithm).toBe('EC P-256');
    expect(certificate.subjectKeyId).toEqual(PublicKey.of(key).keyId);
    expect(certificate.isSignedBy(certificate.publicKey)).toBe(true);
    expect(chain).toEqual([]);
  });

  it('refuses a key no proxy takes signatures of', async () => {
    const { privateKey: key } = testKeyPair('P-521');
    expect(await refusalOf(createAnchor({ commonName: 'x', lifetimeMs: DAY, now: NOW, key }))).toBe(
      'key_not_allowed: expected a CA key of P-256, P-384, Ed25519 or RSA, got EC P-521',
    );
  });
});

describe('createIntermediate', () => {
  it.each<TestKeyType>(['P-256', 'P-384', 'RSA', 'Ed25519'])(
    'is signed so that chains to a %s anchor hold',
    async (keyType) => {
      const { anchor, issuer } = await hierarchy(keyType);
      const bundle = TrustBundle.of([anchor.certificate]);
      expect(
        verifyChain({ leaf: issuer.certificate, intermediates: [], bundle, at: NOW, usage: 'ca' }),
      ).toHaveLength(2);
      const leaf = signLeaf(issuer, {
        publicKey: PublicKey.of(testKeyPair().publicKey),
        dnsName: DNS,
        notBefore: NOW,
        notAfter: new Date(NOW.getTime() + DAY),
      });
      expect(
        verifyChain({ leaf, intermediates: [issuer.certificate], bundle, at: NOW, usage: 'both' }),
      ).toHaveLength(3);
    },
  );

  it('limits path and names below it', async () => {
    const { anchor, issuer } = await hierarchy();
    expect(issuer.certificate).toMatchObject({
      subject: 'CN=identity.kedge',
      issuer: 'CN=root.kedge',
      isCa: true,
      pathLength: 0,
      nameConstraints: { permittedDns: ['cluster.local'], excludedDns: [], unsupported: [] },
    });
    expect(issuer.certificate.authorityKeyId).toEqual(anchor.certificate.subjectKeyId);
    const foreign = signLeaf(issuer, {
      publicKey: PublicKey.of(testKeyPair().publicKey),
      dnsName: 'web.example.org',
      notBefore: NOW,
      notAfter: new Date(NOW.getTime() + DAY),
    });
    const bundle = TrustBundle.of([anchor.certificate]);
    expect(
      refusal(() =>
        verifyChain({ leaf: foreign, intermediates: [issuer.certificate], bundle, at: NOW, usage: 'both' }),
      ),
    ).toMatch(/^chain_name_not_permitted: expected DNS names inside "cluster.local" below CN=identity.kedge/);
  });

  it('never outlives its issuer', async () => {
    const anchor = await createAnchor({ commonName: 'short', lifetimeMs: DAY, now: NOW });
    const certificate = await createIntermediate({
      issuer: anchor,
      publicKey: PublicKey.of(testKeyPair().publicKey),
      commonName: 'identity',
      pathLength: 0,
      notBefore: NOW,
      notAfter: new Date(NOW.getTime() + 365 * DAY),
    });
    expect(certificate.notAfter).toEqual(anchor.certificate.notAfter);
    expect(certificate.nameConstraints).toBeUndefined();
  });

  it('refuses to sign for a key no proxy takes signatures of', async () => {
    const anchor = await createAnchor({ commonName: 'x', lifetimeMs: DAY, now: NOW });
    const options = { commonName: 'y', pathLength: 0, notBefore: NOW, notAfter: NOW };
    const publicKey = PublicKey.of(testKeyPair('RSA-1024').publicKey);
    expect(await refusalOf(createIntermediate({ issuer: anchor, publicKey, ...options }))).toMatch(
      /^key_not_allowed: expected a CA key of .*, got RSA 1024$/,
    );
  });

  itWithOpenssl('passes `openssl verify` in strict mode', async () => {
    const { anchor, issuer } = await hierarchy();
    const args = [
      'verify',
      '-x509_strict',
      '-attime',
      String(NOW.getTime() / 1000 + 60),
      '-CAfile',
      'root',
      'identity',
    ];
    const files = { root: anchor.certificate.pem, identity: issuer.certificate.pem };
    expect(openssl(args, files).text).toContain('identity: OK');
  });
});
