import { IssuanceEvents } from '../../../src/identity/cluster/issuance-events.ts';
import { tellIssuerEvents } from '../../../src/identity/cluster/issuer-events.ts';
import type { IssuerState } from '../../../src/issuers/issuer.ts';
import type { Happening } from '../../../src/kube/event-series.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { clientIdentity as web } from '../../support/rpc-server.ts';
import { TestCa } from '../../support/test-ca.ts';

const service = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'kedge', name: 'kedge-identity' };
const notBefore = new Date('2026-01-01T00:00:00Z');
const notAfter = new Date('2027-01-01T00:00:00Z');
const ready: IssuerState = { state: 'ready', notBefore, notAfter, fingerprint: 'f-1' };

/** Keeps what is recorded. */
class Recorded {
  readonly all: Happening[] = [];

  record(happening: Happening): void {
    this.all.push(happening);
  }
}

describe('tellIssuerEvents', () => {
  it('tells what becomes of the issuer, in the words of the contract', () => {
    const state = new LatestValue<IssuerState>({ state: 'unavailable', reason: 'not read yet' });
    const recorded = new Recorded();
    const stop = tellIssuerEvents(state, recorded, service, new ManualClock());
    state.set(ready);
    state.set({ ...ready, degraded: 'found none' });
    state.set({ ...ready, degraded: 'found none', notAfter: notBefore });
    state.set(ready);
    state.set({ ...ready, fingerprint: 'f-2' });
    state.set({ state: 'unavailable', reason: 'it has ended' });
    stop();
    state.set(ready);
    expect(recorded.all.map(({ type, reason, note }) => [type, reason, note])).toEqual([
      ['Normal', 'IssuerUpdated', 'signing with f-1 until 2027-01-01T00:00:00.000Z'],
      ['Warning', 'IssuerUpdateSkipped', 'the issuer of before stays in use: found none'],
      ['Normal', 'IssuerUpdated', 'signing with f-2 until 2027-01-01T00:00:00.000Z'],
      ['Warning', 'IssuerValidationFailed', 'no issuer can sign: it has ended'],
    ]);
    expect(recorded.all.every(({ regarding }) => regarding === service)).toBe(true);
  });
});

describe('tellIssuerEvents of a CA that is asked for each certificate', () => {
  it('tells when it is away, when another signs in its place, and when it answers again', () => {
    const state = new LatestValue<IssuerState>(ready);
    const recorded = new Recorded();
    const stop = tellIssuerEvents(state, recorded, service, new ManualClock());
    const outage = { since: notBefore, reason: 'got 503' };
    state.set({ ...ready, outage });
    state.set({ ...ready, outage: { ...outage } });
    state.set({ ...ready, outage: { ...outage, standIn: 'local' } });
    state.set(ready);
    stop();
    const away = 'the CA does not answer since 2026-01-01T00:00:00.000Z (got 503)';
    expect(recorded.all.map(({ type, reason, note }) => [type, reason, note])).toEqual([
      ['Warning', 'IssuerUnavailable', `${away}; nothing is signed meanwhile`],
      ['Warning', 'IssuerUnavailable', `${away}; local stands in for it until 2027-01-01T00:00:00.000Z`],
      ['Normal', 'IssuerAvailable', 'the CA answers again'],
    ]);
  });
});

describe('tellIssuerEvents at a start', () => {
  const reasons = (recorded: Recorded): string[] => recorded.all.map(({ note }) => note);

  it('says nothing of an issuer that is made or read within a moment', async () => {
    const clock = new ManualClock();
    const state = new LatestValue<IssuerState>({ state: 'unavailable', reason: 'not read yet' });
    const recorded = new Recorded();
    const stop = tellIssuerEvents(state, recorded, service, clock);
    state.set({ state: 'unavailable', reason: 'there are no trust anchors' });
    state.set({ ...ready, degraded: 'got neither' });
    state.set(ready);
    await clock.advance(60_000);
    expect(reasons(recorded)).toEqual(['signing with f-1 until 2027-01-01T00:00:00.000Z']);
    stop();
  });

  it('says which issuer cannot sign when that lasts, and each other reason', async () => {
    const clock = new ManualClock();
    const state = new LatestValue<IssuerState>({ state: 'unavailable', reason: 'not read yet' });
    const recorded = new Recorded();
    const stop = tellIssuerEvents(state, recorded, service, clock);
    state.set({ state: 'unavailable', reason: 'it has ended' });
    await clock.advance(10_000);
    state.set({ state: 'unavailable', reason: 'found none' });
    expect(reasons(recorded)).toEqual(['no issuer can sign: it has ended', 'no issuer can sign: found none']);
    stop();
    expect(clock.pending).toBe(0);
  });
});

describe('IssuanceEvents', () => {
  it('tells of a certificate on its ServiceAccount, and of a refusal on the service where nobody was proved', () => {
    const recorded = new Recorded();
    const events = new IssuanceEvents(recorded, service);
    const { certificate: leaf } = TestCa.create();
    events.given(web, leaf);
    events.refused(web, 'csr_refused', 'no');
    events.refused(undefined, 'token_refused', 'no');
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', namespace: 'shop', name: 'web' };
    expect(recorded.all).toMatchObject([
      {
        regarding: account,
        type: 'Normal',
        reason: 'IssuedLeafCertificate',
        note: `issued certificate for ${web.dnsName} until ${leaf.notAfter.toISOString()}: ${leaf.fingerprint}`,
      },
      { regarding: account, type: 'Warning', reason: 'LeafCertificateRefused' },
      { regarding: service, note: 'refused a certificate (token_refused): no' },
    ]);
  });
});
