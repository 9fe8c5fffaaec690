import { Admission } from '../../src/identity/admission.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { refusal } from '../support/refusal.ts';
import { thrownBy } from '../support/thrown-by.ts';
import { testDomain } from '../support/rpc-server.ts';

const rates = { total: 50, perPeer: 5, perServiceAccount: 2 };
const stranger = { address: '10.0.0.1', name: undefined };
const known = { address: '10.0.0.1', name: 'web.shop.serviceaccount.identity.kedge.cluster.local' };

describe('Admission', () => {
  it('holds one address to its rate and says when to come back', () => {
    const admission = new Admission(rates, new ManualClock());
    for (let at = 0; at < 10; at++) admission.admitCaller(stranger);
    expect(refusal(() => admission.admitCaller(stranger))).toBe(
      'rate_limited: expected fewer requests of the address 10.0.0.1 (KEDGE_RATE_PER_PEER), try again in 200 ms',
    );
  });

  it('answers RESOURCE_EXHAUSTED with the time to wait', () => {
    const admission = new Admission(rates, new ManualClock());
    for (let at = 0; at < 10; at++) admission.admitCaller(stranger);
    expect(thrownBy(() => admission.admitCaller(stranger))).toMatchObject({
      kind: 'resource_exhausted',
      retryAfterMs: 200,
    });
  });

  it('does not let strangers use up the allowance of a caller with a certificate at the same address', () => {
    const admission = new Admission(rates, new ManualClock());
    for (let at = 0; at < 1_000; at++) refusedOrNot(() => admission.admitCaller(stranger));
    expect(() => admission.admitCaller(known)).not.toThrow();
  });

  it('does not let strangers at many addresses use up what callers with certificates have together', () => {
    const admission = new Admission(rates, new ManualClock());
    for (let at = 0; at < 1_000; at++) {
      refusedOrNot(() => admission.admitCaller({ ...stranger, address: `10.1.${at >> 8}.${at & 255}` }));
    }
    expect(refusal(() => admission.admitCaller({ ...stranger, address: '10.2.0.1' }))).toContain(
      'callers without a certificate (KEDGE_RATE_TOTAL)',
    );
    expect(() => admission.admitCaller(known)).not.toThrow();
  });

  it('does not take from all what one caller was refused', () => {
    const admission = new Admission(rates, new ManualClock());
    for (let at = 0; at < 1_000; at++) refusedOrNot(() => admission.admitCaller(stranger));
    expect(() => admission.admitCaller({ ...stranger, address: '10.0.0.2' })).not.toThrow();
  });

  it('holds one ServiceAccount to its rate, wherever its workloads are', () => {
    const admission = new Admission(rates, new ManualClock());
    for (let at = 0; at < 4; at++) admission.admitIdentity(testDomain.identity('shop', 'web'));
    expect(refusal(() => admission.admitIdentity(testDomain.identity('shop', 'web')))).toContain(
      '(KEDGE_RATE_PER_SERVICE_ACCOUNT), try again in 500 ms',
    );
    expect(() => admission.admitIdentity(testDomain.identity('shop', 'api'))).not.toThrow();
  });
});

function refusedOrNot(run: () => void): void {
  try {
    run();
  } catch {
    // Either is fine here.
  }
}
