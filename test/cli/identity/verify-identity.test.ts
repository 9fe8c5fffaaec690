import type { VerifyIdentityOptions } from '../../../src/cli/identity/verify-identity.ts';
import { nameOf, verifyIdentity } from '../../../src/cli/identity/verify-identity.ts';
import { OID } from '../../../src/pki/oids.ts';
import { TestCa } from '../../support/test-ca.ts';

const HOUR = 3_600_000;

describe('verifyIdentity', () => {
  const root = TestCa.create({ commonName: 'root' });
  const issuer = root.intermediate({ commonName: 'issuer' });
  const leaf = issuer.leaf();
  const name = leaf.certificate.sans.dns[0] ?? '';

  const verify = (options: Partial<VerifyIdentityOptions>): ReturnType<typeof verifyIdentity> =>
    verifyIdentity({
      certificates: leaf.chain,
      anchors: root.bundle,
      at: new Date(),
      usage: 'both',
      ...options,
    });

  it('checks nothing without anchors', () => {
    expect(verify({ anchors: undefined })).toEqual({ state: 'not checked' });
  });

  it('gives the path from the certificate to the anchor', () => {
    expect(verify({})).toEqual({ state: 'verified', path: [name, 'CN=issuer', 'CN=root'] });
  });

  it('says why a chain does not hold', () => {
    expect(verify({ anchors: TestCa.create().bundle })).toMatchObject({
      state: 'failed',
      code: 'chain_untrusted',
      reason: expect.stringContaining('CN=root') as string,
    });
    expect(verify({ certificates: [leaf.certificate] })).toMatchObject({ code: 'chain_untrusted' });
    expect(verify({ at: new Date(Date.now() + 2 * HOUR) })).toMatchObject({ code: 'chain_expired' });
  });

  it('wants a file to serve for both sides, and a server for its own', () => {
    const { chain } = issuer.leaf({ extendedKeyUsage: [OID.serverAuth] });
    expect(verify({ certificates: chain })).toMatchObject({ code: 'chain_usage_not_allowed' });
    expect(verify({ certificates: chain, usage: 'server' })).toMatchObject({ state: 'verified' });
  });

  it('compares the name exactly, when one was given', () => {
    expect(verify({ name })).toMatchObject({ state: 'verified' });
    const other = `x.${name}`;
    expect(verify({ name: other })).toEqual({
      state: 'failed',
      code: 'name_mismatch',
      reason: `expected the DNS name ${other}, got ${name}`,
    });
  });

  it('judges every CA of a bundle, and every workload certificate of a file', () => {
    const stranger = TestCa.create();
    expect(verify({ certificates: [issuer.certificate, root.certificate] })).toEqual({
      state: 'verified',
      path: ['CN=issuer', 'CN=root'],
    });
    expect(verify({ certificates: [root.certificate, stranger.certificate] })).toMatchObject({
      state: 'failed',
    });
    expect(verify({ certificates: [...leaf.chain, stranger.leaf().certificate] })).toMatchObject({
      state: 'failed',
    });
    expect(verify({ certificates: [...leaf.chain, stranger.certificate] })).toMatchObject({
      state: 'verified',
    });
  });
});

describe('nameOf', () => {
  it('is the first DNS name of a workload, the subject of a CA, and a URI or the serial at last', () => {
    const root = TestCa.create({ commonName: 'root' });
    expect(nameOf(root.certificate)).toBe('CN=root');
    expect(nameOf(root.leaf({ dnsName: 'a.b', commonName: 'c' }).certificate)).toBe('a.b');
    const { certificate } = root.leaf({ names: [] });
    expect(nameOf(certificate)).toBe(`serial ${certificate.serial}`);
  });
});
