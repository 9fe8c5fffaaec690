import { CertifyBench, hour } from '../identity/support/certify-bench.ts';
import { IdentityServer } from '../identity/support/identity-server.ts';
import { eventually } from '../support/eventually.ts';
import { passing, step } from '../support/passing.ts';
import { clientIdentity as web } from '../support/rpc-server.ts';
import { Certified } from './support/certified.ts';

const day = 24 * hour;
const workload = { identity: web, subject: 'vm-1' };

describe('the wall clock of a proxy', () => {
  it('set forward by a day: keeps its certificate, says that it counts it as expired, and recovers', async () => {
    await using bench = new IdentityServer();
    using proxy = await Certified.start(bench, workload);
    await eventually(() => expect(proxy.obtained).toBe(1));
    const first = proxy.serial;
    await step(proxy.clock, day);
    const expired = 'certificate expired and not renewed; peers refuse it';
    await eventually(() => expect(proxy.log.withMessage(expired)).not.toEqual([]));
    // What the service gives by the right time has ended by this clock, and is not taken.
    expect(proxy.log.withMessage(expired)[0]?.fields).toMatchObject({ code: 'certificate_refused' });
    expect(proxy.readiness.report()).toContain('degraded: certificate: expired at ');
    expect(proxy.serial).toBe(first);

    proxy.clock.set(bench.clock.now());
    await passing(proxy.clock, () => expect(proxy.obtained).toBe(2));
    expect(proxy.readiness.report()).toBe('ready\n');
    expect(proxy.own.credentials.value!.leaf.notAfter > bench.clock.now()).toBe(true);
  });

  it('set back by a day: keeps its certificate, says that there is none of its time, and recovers', async () => {
    await using bench = new IdentityServer();
    using proxy = await Certified.start(bench, workload);
    await eventually(() => expect(proxy.obtained).toBe(1));
    const first = proxy.serial;
    await step(proxy.clock, -day);
    await eventually(() => expect(proxy.readiness.report()).toContain('degraded: certificate: not renewed'));
    expect(proxy.log.records.at(-1)?.fields).toMatchObject({ code: 'certificate_refused' });
    expect(proxy.log.text).toMatch(/expected .* to be valid at .*, got a start at /);
    expect([proxy.serial, proxy.obtained]).toEqual([first, 1]);

    proxy.clock.set(bench.clock.now());
    await passing(proxy.clock, () => expect(proxy.obtained).toBe(2));
    expect(proxy.readiness.report()).toBe('ready\n');
  });

  it('set forward by as much as makes the renewal due: is renewed within a minute', async () => {
    await using bench = new IdentityServer();
    using proxy = await Certified.start(bench, workload);
    await eventually(() => expect(proxy.obtained).toBe(1));
    await step(proxy.clock, 0.9 * day);
    await eventually(() => expect(proxy.obtained).toBe(2));
  });
});

describe('the wall clock of the identity service', () => {
  it('set forward by a day: refuses the tokens of now as expired, and takes them again once it is right', async () => {
    const bench = new CertifyBench();
    const token = Buffer.from(bench.tokens.sign('vm-1'));
    await step(bench.clock, day);
    expect(await bench.refused({ token })).toMatch(/^token_refused: .* got one that expired \d+ s ago$/);
    await step(bench.clock, -day);
    expect((await bench.give({ token })).leaf.notAfter > bench.clock.now()).toBe(true);
  });

  it('set back by a day: refuses the tokens of now as not valid yet, and takes them again once it is right', async () => {
    const bench = new CertifyBench();
    const token = Buffer.from(bench.tokens.sign('vm-1'));
    await step(bench.clock, -day);
    expect(await bench.refused({ token })).toMatch(
      /^token_refused: .* valid already, got one that will be in/,
    );
    await step(bench.clock, day);
    expect((await bench.give({ token })).leaf.notBefore <= bench.clock.now()).toBe(true);
  });

  it('set before the beginning of its issuer: signs nothing, also for tokens of that time', async () => {
    const bench = new CertifyBench();
    await step(bench.clock, -day);
    expect(await bench.refused({})).toMatch(/^issued_certificate_refused: .* "chain";/);
    expect(bench.log.text).toContain('got a start at');
    expect(await bench.metrics.text()).toContain('kedge_issuer_refused_answers_total{rule="chain"} 1');
    expect(bench.log.withMessage('certificate given')).toEqual([]);
  });

  it('set forward to the last hour of its issuer: signs for no longer than that', async () => {
    const bench = new CertifyBench();
    const notAfter = new Date(bench.clock.now().getTime() + day + hour);
    const pair = bench.root.intermediate({ notAfter });
    bench.current.set({ pair, notBefore: pair.certificate.notBefore, notAfter: pair.certificate.notAfter });
    await step(bench.clock, day);
    const { leaf } = await bench.give();
    expect(leaf.notAfter).toEqual(pair.certificate.notAfter);
    expect(leaf.notBefore >= pair.certificate.notBefore).toBe(true);
  });

  it('set beyond the end of its issuer: signs nothing and says when that ended', async () => {
    const bench = new CertifyBench();
    const brief = bench.root.intermediate({ notAfter: new Date(bench.clock.now().getTime() + hour) });
    const { notBefore, notAfter } = brief.certificate;
    bench.current.set({ pair: brief, notBefore, notAfter });
    await step(bench.clock, day);
    expect(await bench.refused({})).toBe(
      `issuer_unavailable: expected an issuer that can sign, got one that ended at ${notAfter.toISOString()}`,
    );
  });

  it('wrong by a day for tokens that live longer: what it gives is taken by no proxy whose clock is right', async () => {
    await using bench = new IdentityServer();
    await bench.address();
    bench.clock.set(new Date(bench.clock.now().getTime() + day));
    using proxy = await Certified.start(bench, workload);
    proxy.clock.set(new Date());
    await eventually(() => expect(proxy.log.withMessage('no certificate yet')).not.toEqual([]));
    expect(proxy.log.records.at(-1)?.fields).toMatchObject({ code: 'certificate_refused' });
    expect(proxy.readiness.report()).toMatch(/waiting: first-certificate: none yet: .*got a start at/);

    bench.clock.set(new Date());
    proxy.putToken();
    await passing(proxy.clock, () => expect(proxy.obtained).toBe(1));
    expect(proxy.readiness.report()).toBe('ready\n');
  });

  it.each([
    ['forward', day],
    ['back', -day],
  ])('set %s by a day and right again: has a certificate of the right time again', async (_, ms) => {
    await using bench = new IdentityServer();
    await bench.address();
    const serial = (): string | undefined => bench.serving.current.value?.leaf.serial;
    const first = serial();
    await step(bench.clock, ms);
    if (ms < 0) {
      // No certificate of that time can be had from this issuer; the last one stays.
      await eventually(() => expect(bench.serving.problem.value).toContain('breaks the rule "chain"'));
      expect(bench.log.text).toContain('got a start at');
      expect(serial()).toBe(first);
    } else {
      await eventually(() => expect(serial()).not.toBe(first));
    }
    const wrong = serial();
    await step(bench.clock, -ms);
    await passing(bench.clock, () => {
      const { leaf } = bench.serving.current.value!;
      expect(leaf.serial).not.toBe(wrong);
      const now = bench.clock.now();
      expect(leaf.notBefore <= now && leaf.notAfter > now).toBe(true);
    });
    expect(bench.serving.problem.value).toBeUndefined();
  });

  it('set back by a day: holds nobody back for longer than before', async () => {
    const bench = new CertifyBench();
    for (let at = 0; at < 40; at += 1) await bench.refused({ token: Buffer.from('x') });
    await expect(bench.give()).rejects.toMatchObject({ code: 'rate_limited' });
    bench.clock.set(new Date(bench.clock.now().getTime() - day));
    await expect(bench.give()).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 50 });
    await bench.clock.advance(50);
    expect(await bench.refused({ token: Buffer.from('x') })).not.toContain('rate_limited');
  });
});
