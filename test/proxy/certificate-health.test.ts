import type { Credentials } from '../../src/pki/credentials.ts';
import { watchCertificate } from '../../src/proxy/certificate-health.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { clientIdentity } from '../support/rpc-server.ts';
import { TestCa } from '../support/test-ca.ts';

const hour = 3_600_000;
const start = new Date('2026-06-01T00:00:00Z');
const ca = TestCa.create();

function certificateUntil(notAfter: Date): Credentials {
  return ca.leaf({ identity: clientIdentity, notBefore: start, notAfter }).credentials();
}

const inHours = (hours: number): Date => new Date(start.getTime() + hours * hour);

/** Watches a certificate that ends after ten hours. */
function watching() {
  const clock = new ManualClock(start);
  const credentials = new LatestValue<Credentials | undefined>(certificateUntil(inHours(10)));
  const end = new AbortController();
  const told: (string | undefined)[] = [];
  watchCertificate(credentials, { clock, degraded: (reason) => told.push(reason), signal: end.signal });
  return { clock, credentials, end, told };
}

describe('the health of the own certificate', () => {
  it('is good while renewal is not overdue', async () => {
    const { clock, told } = watching();
    await clock.advance(7.9 * hour);
    expect(told).toEqual([undefined]);
  });

  it('is degraded when renewal is overdue, with the date until which the certificate is good', async () => {
    const { clock, told } = watching();
    await clock.advance(8 * hour);
    expect(told.at(-1)).toBe('not renewed, good until 2026-06-01T10:00:00.000Z');
    await clock.advance(2 * hour);
    expect(told.at(-1)).toBe('expired at 2026-06-01T10:00:00.000Z, peers refuse it');
  });

  it('is good again with the next certificate', async () => {
    const { clock, credentials, told } = watching();
    await clock.advance(9 * hour);
    credentials.set(certificateUntil(inHours(20)));
    await clock.advance(8 * hour);
    expect(told).toEqual([undefined, 'not renewed, good until 2026-06-01T10:00:00.000Z', undefined]);
  });

  it('is not changed by a new trust bundle', async () => {
    const { clock, credentials, told } = watching();
    await clock.advance(4 * hour);
    const { value } = credentials;
    credentials.set(value && { ...value, bundle: TestCa.create().bundle });
    await clock.advance(4 * hour);
    expect(told.at(-1)).toBe('not renewed, good until 2026-06-01T10:00:00.000Z');
  });

  it('is not watched any more after the end', async () => {
    const { clock, end, told } = watching();
    end.abort();
    await clock.advance(10 * hour);
    expect([told, clock.pending]).toEqual([[undefined], 0]);
  });
});
