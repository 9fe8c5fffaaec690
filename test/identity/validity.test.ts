import { validityOf } from '../../src/identity/validity.ts';
import { thrownBy } from '../support/thrown-by.ts';
import { refusal } from '../support/refusal.ts';

const now = new Date('2026-06-01T12:00:00.700Z');
const limits = { lifetimeMs: 86_400_000, skewMs: 20_000 };
const until = (notAfter: string): Parameters<typeof validityOf>[0] => ({
  state: 'ready',
  notBefore: new Date(0),
  notAfter: new Date(notAfter),
});

describe('validityOf', () => {
  it('starts in the past by the skew and lasts as configured, in whole seconds', () => {
    expect(validityOf(until('2027-01-01T00:00:00Z'), limits, now)).toEqual({
      notBefore: new Date('2026-06-01T11:59:40Z'),
      notAfter: new Date('2026-06-02T12:00:00Z'),
    });
  });

  it('ends with the issuer when that ends sooner', () => {
    expect(validityOf(until('2026-06-01T18:00:00Z'), limits, now).notAfter).toEqual(
      new Date('2026-06-01T18:00:00Z'),
    );
  });

  it.each(['2026-06-01T12:00:00Z', '2026-05-01T00:00:00Z'])(
    'gives none under an issuer that ended at %s',
    (end) => {
      const refused = refusal(() => validityOf(until(end), limits, now));
      expect(refused).toContain(
        'issuer_unavailable: expected an issuer that can sign, got one that ended at',
      );
    },
  );

  it('says why there is no issuer, and when to come back', () => {
    const run = (): unknown =>
      validityOf({ state: 'unavailable', reason: 'tls.key is missing' }, limits, now);
    expect(refusal(run)).toBe(
      'issuer_unavailable: expected an issuer that can sign, got none (tls.key is missing)',
    );
    expect(thrownBy(run)).toMatchObject({ kind: 'unavailable', retryAfterMs: 10_000 });
  });
});
