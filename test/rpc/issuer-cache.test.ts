import { IssuerCache } from '../../src/rpc/issuer-cache.ts';
import { TestCa } from '../support/test-ca.ts';
import { thrownBy } from '../support/thrown-by.ts';

const certificates = Array.from({ length: 17 }, () => TestCa.create().certificate);

describe('the certificates of issuers', () => {
  it('are read once for all that show them', () => {
    const cache = new IssuerCache();
    const { der, serial } = certificates[0]!;
    const first = cache.parse(der);
    expect(first.serial).toBe(serial);
    expect(cache.parse(Buffer.from(der))).toBe(first);
  });

  it('make room for others, those first that were not shown for longest', () => {
    const cache = new IssuerCache();
    const held = certificates.slice(0, 16).map(({ der }) => cache.parse(der));
    expect(cache.parse(certificates[0]!.der)).toBe(held[0]);
    cache.parse(certificates[16]!.der);
    expect(cache.parse(certificates[0]!.der)).toBe(held[0]);
    expect(cache.parse(certificates[1]!.der)).not.toBe(held[1]);
  });

  it('are not held when they cannot be read', () => {
    const cache = new IssuerCache();
    for (let i = 0; i < 2; i++) {
      expect(thrownBy(() => cache.parse(Buffer.from('3000', 'hex')))).toMatchObject({
        code: 'certificate_malformed',
      });
    }
  });
});
