import type { IntermediateCa } from '../../../src/issuers/issuer.ts';
import { LocalIssuer } from '../../../src/issuers/local/local-issuer.ts';
import { verifyChain } from '../../../src/pki/verify-chain.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { refusalOf } from '../../support/refusal.ts';
import { TestCa } from '../../support/test-ca.ts';
import { dnsOnlyRequest, later, now, request } from '../support/issue-request.ts';

const hour = 3_600_000;
const root = TestCa.create();
const ca = root.intermediate();
const lasting = (pair: TestCa, notAfter = later(24 * hour)): IntermediateCa => ({
  pair,
  notBefore: later(-hour),
  notAfter,
});

function issuerWith(present: IntermediateCa | undefined): {
  issuer: LocalIssuer;
  current: LatestValue<IntermediateCa | undefined>;
  problem: LatestValue<string | undefined>;
} {
  const current = new LatestValue(present);
  const problem = new LatestValue<string | undefined>(undefined);
  return { issuer: new LocalIssuer({ current, problem }, new ManualClock(now)), current, problem };
}

describe('LocalIssuer', () => {
  it('signs the key under both names, from then until then, and sends what leads to the anchor', async () => {
    const { leaf, intermediates } = await issuerWith(lasting(ca)).issuer.issue(request);
    const path = verifyChain({ leaf, intermediates, bundle: root.bundle, at: now, usage: 'both' });
    expect(path.map(({ label }) => label)).toEqual([
      leaf.label,
      ca.certificate.label,
      root.certificate.label,
    ]);
    expect(leaf.publicKey.equals(request.csr.publicKey)).toBe(true);
    expect(leaf.sans).toMatchObject({
      dns: [request.dnsName],
      uri: [request.uri],
      ip: [],
      email: [],
      other: 0,
    });
    expect([leaf.notBefore, leaf.notAfter]).toEqual([request.notBefore, request.notAfter]);
    expect(leaf.subject).toBe('');
  });

  it('sends the issuer even where it is the anchor itself', async () => {
    const { intermediates } = await issuerWith(lasting(root)).issuer.issue(request);
    expect(intermediates).toEqual([root.certificate]);
  });

  it('signs under the DNS name alone where only that is asked for', async () => {
    expect((await issuerWith(lasting(ca)).issuer.issue(dnsOnlyRequest)).leaf.sans.uri).toEqual([]);
  });

  it('never signs beyond its own end, whatever is asked for', async () => {
    const { leaf } = await issuerWith(lasting(ca, later(60_000))).issuer.issue(request);
    expect(leaf.notAfter).toEqual(later(60_000));
  });

  it('says that there is no CA yet, and why', async () => {
    const { issuer, problem } = issuerWith(undefined);
    expect(issuer.state.value).toEqual({ state: 'unavailable', reason: 'the issuer has not been read yet' });
    problem.set('tls.key is missing');
    expect(issuer.state.value).toEqual({ state: 'unavailable', reason: 'tls.key is missing' });
    await expect(issuer.issue(request)).rejects.toMatchObject({
      code: 'issuer_unavailable',
      kind: 'unavailable',
      message: 'expected an issuer that can sign, got none (tls.key is missing)',
      retryAfterMs: 10_000,
    });
  });

  it('does not sign with a CA that has ended', async () => {
    const { issuer } = issuerWith(lasting(ca, now));
    expect(await refusalOf(issuer.issue(request))).toContain('got one that ended at');
  });

  it('signs with the CA of this moment', async () => {
    const { issuer, current } = issuerWith(lasting(ca));
    const next = root.intermediate();
    current.set(lasting(next));
    expect((await issuer.issue(request)).intermediates).toEqual([next.certificate]);
    expect(issuer.state.value).toMatchObject({ state: 'ready', fingerprint: next.certificate.fingerprint });
  });

  it('tells a change of state only where there is one', () => {
    const { issuer, current, problem } = issuerWith(lasting(ca));
    const told: string[] = [];
    issuer.state.subscribe((state) =>
      told.push(state.state === 'ready' ? (state.degraded ?? 'well') : 'away'),
    );
    current.set(lasting(ca));
    problem.set('a bad candidate');
    problem.set(undefined);
    current.set(undefined);
    expect(told).toEqual(['a bad candidate', 'well', 'away']);
  });
});
