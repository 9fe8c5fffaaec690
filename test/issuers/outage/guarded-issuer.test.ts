import { issuerErrors } from '../../../src/issuers/errors.ts';
import type { IssuedCertificate, Issuer, IssueRequest, IssuerState } from '../../../src/issuers/issuer.ts';
import { guardMetrics } from '../../../src/issuers/outage/guard-metrics.ts';
import { GuardedIssuer } from '../../../src/issuers/outage/guarded-issuer.ts';
import { AppError, errorMessage, isAppError } from '../../../src/runtime/errors.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { TestCa } from '../../support/test-ca.ts';
import { thrownBy } from '../../support/thrown-by.ts';
import { answerOf, later, now, request } from '../support/issue-request.ts';

const minute = 60_000;
const { issued } = answerOf(TestCa.create().intermediate());
const away = issuerErrors.error('issuer_unavailable', 'expected 200, got 503');
const tooMuch = (retryAfterMs?: number): Error =>
  new AppError('vault_rate_limited', 'resource_exhausted', 'expected 200, got 429', {
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
const ready: IssuerState = { state: 'ready', notBefore: now, notAfter: later(1_000 * minute) };

interface Held {
  readonly name: string;
  readonly answer: () => void;
  readonly fail: (error: Error) => void;
  readonly signal: AbortSignal;
}

/** A CA that answers when the test says so, behind the guard. */
class Bench implements Issuer {
  readonly clock = new ManualClock(now);
  readonly log = new LogCapture();
  readonly metrics = new Metrics();
  readonly state = new LatestValue<IssuerState>(ready);
  /** Calls that have reached the CA and have no answer yet. */
  readonly held: Held[] = [];
  readonly reached: string[] = [];
  readonly outcomes: string[] = [];
  readonly guard: GuardedIssuer;

  constructor(options: { concurrency?: number; rate?: number; timeoutMs?: number } = {}) {
    const { clock, log } = this;
    const { concurrency = 1, rate, timeoutMs = 10_000 } = options;
    const metrics = guardMetrics(this.metrics);
    this.guard = new GuardedIssuer(this, {
      ...{ clock, log, metrics, concurrency, rate, timeoutMs },
      random: () => 0.5,
    });
  }

  issue({ dnsName }: IssueRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    this.reached.push(dnsName);
    return new Promise((resolve, reject) => {
      this.held.push({ name: dnsName, answer: () => resolve(issued), fail: reject, signal });
    });
  }

  /** Asks under a name, for a workload whose certificate ends in so many minutes, or that has none. */
  ask(name: string, endsInMinutes?: number, signal = new AbortController().signal): void {
    const goodUntil = endsInMinutes === undefined ? {} : { goodUntil: later(endsInMinutes * minute) };
    this.guard.issue({ ...request, notAfter: later(100 * minute), dnsName: name, ...goodUntil }, signal).then(
      () => this.outcomes.push(`${name} ok`),
      (error: unknown) => {
        const told = isAppError(error) ? `${error.code} ${error.retryAfterMs ?? 'no hint'}` : String(error);
        this.outcomes.push(`${name} ${told}`);
      },
    );
  }

  /** The CA answers all that it holds, and all that comes of it. */
  async answerAll(): Promise<void> {
    while (this.held.length > 0) {
      this.held.shift()?.answer();
      await this.clock.advance(0);
    }
  }

  async fail(times: number, error: Error = away): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      this.ask(`failing ${time + 1}`);
      await this.clock.advance(0);
      this.held.shift()?.fail(error);
      await this.clock.advance(0);
    }
  }
}

describe('GuardedIssuer', () => {
  it('passes an answer on, and has no more calls under way than it may', async () => {
    const bench = new Bench({ concurrency: 2 });
    for (const name of ['a', 'b', 'c']) bench.ask(name);
    expect(bench.reached).toEqual(['a', 'b']);
    bench.held.shift()?.answer();
    await bench.clock.advance(0);
    expect(bench.reached).toEqual(['a', 'b', 'c']);
    await bench.answerAll();
    expect(bench.outcomes).toEqual(['a ok', 'b ok', 'c ok']);
    expect(bench.clock.pending).toBe(0);
  });

  it('serves by the end of what a workload holds; one that has nothing counts as ending soon', async () => {
    const bench = new Bench();
    bench.ask('running');
    bench.ask('early', 60);
    bench.ask('earlier', 80);
    bench.ask('first');
    bench.ask('expiring', 5);
    bench.ask('another first');
    await bench.answerAll();
    expect(bench.reached).toEqual(['running', 'expiring', 'first', 'another first', 'early', 'earlier']);
  });

  it('starts no more calls within any second than its rate', async () => {
    const bench = new Bench({ concurrency: 100, rate: 3 });
    for (let number = 1; number <= 8; number += 1) bench.ask(`${number}`);
    expect(bench.reached).toHaveLength(3);
    await bench.clock.advance(999);
    expect(bench.reached).toHaveLength(3);
    await bench.clock.advance(1);
    expect(bench.reached).toHaveLength(6);
    await bench.clock.advance(1_000);
    await bench.answerAll();
    expect(bench.reached).toHaveLength(8);
  });

  it('tells at once who will not be served in time, the least urgent, and spreads their return', async () => {
    // Two a second, and five seconds to wait: eight places, for no estimate is exact.
    const bench = new Bench({ concurrency: 100, rate: 2 });
    for (let number = 1; number <= 12; number += 1) bench.ask(`early ${number}`, 50 + number);
    bench.ask('late early', 90);
    bench.ask('first');
    await bench.clock.advance(0);
    // When half of those that wait have had their turn, one after the other.
    expect(bench.outcomes.toSorted()).toEqual([
      'early 10 issuer_overloaded 4000',
      'early 11 issuer_overloaded 2500',
      'early 12 issuer_overloaded 3000',
      'late early issuer_overloaded 3500',
    ]);
    expect(await bench.metrics.text()).toContain(
      'kedge_issuer_shed_total{reason="overload",urgency="early"} 4',
    );
    expect(await bench.metrics.text()).toContain('kedge_issuer_waiting{urgency="first"} 1');
    await bench.clock.advance(10_000);
    await bench.answerAll();
    expect(bench.outcomes.filter((outcome) => outcome.endsWith(' ok'))).toHaveLength(10);
  });

  it('sends away who has waited half of the time in vain, so that the CA has the other half', async () => {
    const bench = new Bench();
    bench.ask('slow');
    bench.ask('waiting', 50);
    await bench.clock.advance(4_999);
    expect(bench.outcomes).toEqual([]);
    await bench.clock.advance(1);
    expect(bench.outcomes[0]).toMatch(/^waiting issuer_overloaded \d+$/);
    expect(await bench.metrics.text()).toContain('kedge_issuer_shed_total{reason="late",urgency="early"} 1');
    bench.held[0]?.answer();
    await bench.clock.advance(0);
    expect(bench.reached).toEqual(['slow']);
  });

  it('forgets who went away while waiting, and tells the CA of who went away while it was at work', async () => {
    const bench = new Bench();
    const callers = [new AbortController(), new AbortController()];
    bench.ask('working', 50, callers[0]!.signal);
    bench.ask('waiting', 50, callers[1]!.signal);
    callers[1]!.abort(new Error('gone'));
    callers[0]!.abort(new Error('gone'));
    await bench.clock.advance(0);
    expect(bench.outcomes.toSorted()).toEqual(['waiting Error: gone', 'working Error: gone']);
    expect(bench.held[0]?.signal.aborted).toBe(true);
    // Its place is free, also where the CA does not heed that.
    bench.ask('next');
    expect(bench.reached).toEqual(['working', 'next']);
  });

  it('lets nothing but probes reach a CA that fails, and tells all others at once', async () => {
    const bench = new Bench({ concurrency: 4 });
    await bench.fail(5);
    const state = bench.guard.state.value;
    const outage = { since: now, reason: 'expected 200, got 503' };
    expect(state).toEqual({ ...ready, asksCa: true, outage });
    bench.outcomes.length = 0;
    for (let number = 1; number <= 3; number += 1) bench.ask(`renewal ${number}`, 60);
    await bench.clock.advance(0);
    expect(bench.reached).toHaveLength(5);
    // Not before the next probe, and then one by one.
    expect(bench.outcomes).toEqual([
      'renewal 1 issuer_outage 1270',
      'renewal 2 issuer_outage 1290',
      'renewal 3 issuer_outage 1310',
    ]);
    expect(() => bench.guard.checkOpen(later(50 * minute))).toThrow('expected a CA that answers, got none');
    await bench.clock.advance(1_250);
    expect(() => bench.guard.checkOpen()).not.toThrow();
    for (const name of ['probe 1', 'probe 2', 'no probe']) bench.ask(name);
    expect(bench.reached.slice(5)).toEqual(['probe 1', 'probe 2']);
    await bench.answerAll();
    expect(bench.guard.state.value).toEqual({ ...ready, asksCa: true });
    expect(bench.log.records.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      'error: the CA does not answer; until it does, only probes reach it',
      'info: the CA answers again',
    ]);
  });

  it('keeps the CA free for fifteen seconds after an outage for those who are pressed', async () => {
    const bench = new Bench({ concurrency: 16, timeoutMs: 60_000 });
    await bench.fail(5);
    await bench.clock.advance(2_000);
    for (const name of ['probe 1', 'probe 2']) bench.ask(name);
    await bench.answerAll();
    bench.reached.length = 0;
    for (let number = 1; number <= 20; number += 1) bench.ask(`early ${number}`, 60);
    expect(bench.reached).toEqual(['early 1', 'early 2']);
    bench.ask('expiring', 1);
    bench.ask('first');
    expect(bench.reached.slice(2)).toEqual(['expiring', 'first']);
    bench.held.splice(0, 1)[0]?.answer();
    await bench.clock.advance(14_999);
    expect(bench.reached).toHaveLength(4);
    await bench.clock.advance(1);
    expect(bench.held).toHaveLength(16);
    await bench.answerAll();
    expect(bench.outcomes.filter((outcome) => outcome.endsWith(' ok'))).toHaveLength(24);
  });

  it('lets nobody who is pressed wait behind an early renewal that has become so while it waited', async () => {
    const bench = new Bench({ concurrency: 16 });
    await bench.fail(5);
    await bench.clock.advance(2_000);
    for (const name of ['probe 1', 'probe 2']) bench.ask(name);
    await bench.answerAll();
    bench.reached.length = 0;
    for (const name of ['early 1', 'early 2']) bench.ask(name, 60);
    bench.ask('nearly pressed', 10 + 1 / 60);
    await bench.clock.advance(2_000);
    bench.ask('first');
    expect(bench.reached).toEqual(['early 1', 'early 2', 'nearly pressed', 'first']);
    await bench.answerAll();
  });

  it('judges the CA after an outage by nothing that calls took in it', async () => {
    const bench = new Bench({ concurrency: 5 });
    for (let round = 1; round <= 3; round += 1) {
      const caller = new AbortController();
      for (let number = 1; number <= 5; number += 1) bench.ask('hangs', 60, caller.signal);
      await bench.clock.advance(9_990);
      caller.abort(new Error('caller gone'));
      bench.held.length = 0;
      await bench.clock.advance(0);
    }
    expect(bench.guard.breaker.value.state).toBe('open');
    await bench.clock.advance(3_000);
    for (const name of ['probe 1', 'probe 2']) bench.ask(name);
    await bench.answerAll();
    bench.outcomes.length = 0;
    for (let number = 1; number <= 100; number += 1) bench.ask('expiring', 2);
    await bench.clock.advance(0);
    expect(bench.outcomes).toEqual([]);
    await bench.answerAll();
    expect(bench.outcomes).toHaveLength(100);
  });

  it('counts by its urgency who is sent away before its token is looked at', async () => {
    const bench = new Bench();
    await bench.fail(5);
    for (const goodUntil of [undefined, later(5 * minute), later(60 * minute), later(-minute)])
      expect(() => bench.guard.checkOpen(goodUntil)).toThrow('expected a CA that answers, got none');
    const text = await bench.metrics.text();
    for (const [urgency, count] of [
      ['first', 1],
      ['expiring', 1],
      ['early', 2],
    ])
      expect(text).toContain(`kedge_issuer_shed_total{reason="outage",urgency="${urgency}"} ${count}`);
  });

  it('sends away all that wait when the CA is found to be away', async () => {
    const bench = new Bench({ concurrency: 5 });
    for (let number = 1; number <= 7; number += 1) bench.ask(`${number}`, 60);
    for (const call of bench.held.splice(0)) call.fail(away);
    await bench.clock.advance(0);
    // The two that waited took the places of the first that failed.
    for (const call of bench.held.splice(0)) call.fail(away);
    for (let number = 8; number <= 9; number += 1) bench.ask(`${number}`, 60);
    await bench.clock.advance(0);
    expect(bench.outcomes).toHaveLength(9);
    expect(bench.outcomes.filter((outcome) => outcome.includes('issuer_outage'))).toHaveLength(2);
    expect(await bench.metrics.text()).toContain('kedge_issuer_waiting{urgency="early"} 0');
    expect(await bench.metrics.text()).toContain('kedge_issuer_breaker_state{state="open"} 1');
  });

  it.each([
    ['refuses requests for good', issuerErrors.error('ca_objects_conflict', 'role forbids it'), 'closed'],
    ['answers what is wrong', issuerErrors.error('issued_certificate_refused', 'other key'), 'closed'],
    ['has a bug', new TypeError('bug'), 'closed'],
    ['is away', away, 'open'],
  ])('judges a CA that %s', async (_, error, state) => {
    const bench = new Bench();
    await bench.fail(20, error);
    expect(bench.guard.breaker.value.state).toBe(state);
  });

  it('counts a call that took too long against the CA, and one that was given up not', async () => {
    const bench = new Bench({ concurrency: 10 });
    const ask = async (reason: Error): Promise<void> => {
      for (let number = 1; number <= 5; number += 1) {
        const caller = new AbortController();
        bench.ask(`${number}`, 60, caller.signal);
        caller.abort(reason);
      }
      await bench.clock.advance(0);
    };
    await ask(new Error('caller gone'));
    expect(bench.guard.breaker.value.state).toBe('closed');
    await ask(issuerErrors.error('issuer_timeout', 'expected an answer within 10000 ms, got none'));
    expect(bench.guard.breaker.value).toMatchObject({
      state: 'open',
      reason: 'expected an answer within 10000 ms, got none',
    });
  });

  it('counts against the CA that callers gave up who had waited nearly as long as it may take', async () => {
    const bench = new Bench({ concurrency: 10 });
    const ask = async (patienceMs: number): Promise<void> => {
      for (let number = 1; number <= 5; number += 1) {
        const caller = new AbortController();
        bench.ask(`${number}`, 60, caller.signal);
        bench.clock.after(patienceMs, () => caller.abort(new Error('caller gone')));
      }
      await bench.clock.advance(patienceMs);
    };
    await ask(3_000);
    expect(bench.guard.breaker.value.state).toBe('closed');
    // A proxy has the same patience as identity, and began to wait before it.
    await ask(9_990);
    expect(bench.guard.breaker.value).toMatchObject({
      state: 'open',
      reason: 'expected an answer before the workload gave up, got none',
    });
  });

  it('leaves a CA alone for a while that is asked too much, and gives another turn, the most urgent first', async () => {
    const bench = new Bench({ concurrency: 2 });
    for (const [minutes, name] of ['a', 'b', 'c'].entries()) bench.ask(name, 2 + minutes);
    bench.ask('expiring', 1);
    for (const each of bench.held.splice(0)) each.fail(tooMuch());
    await bench.clock.advance(149);
    expect(bench.reached).toEqual(['a', 'b']);
    await bench.clock.advance(1);
    expect(bench.reached.slice(2)).toEqual(['expiring', 'a']);
    await bench.answerAll();
    expect(bench.outcomes).toEqual(['expiring ok', 'a ok', 'b ok', 'c ok']);
    expect(await bench.metrics.text()).toContain('\nkedge_issuer_held_back_total 2\n');
    expect(bench.clock.pending).toBe(0);
  });

  it('waits as long as such a CA says, up to ten seconds, and takes none of it for an outage', async () => {
    const bench = new Bench({ concurrency: 10, timeoutMs: 60_000 });
    for (let number = 1; number <= 10; number += 1) bench.ask(`${number}`, 20);
    for (const each of bench.held.splice(0)) each.fail(tooMuch(3_600_000));
    await bench.clock.advance(9_999);
    expect(bench.held).toHaveLength(0);
    expect(bench.guard.breaker.value.state).toBe('closed');
    await bench.clock.advance(1);
    expect(bench.held).toHaveLength(10);
    await bench.answerAll();
    expect(bench.outcomes).toHaveLength(10);
  });

  it('sends away who gets no other turn in half of the time', async () => {
    const bench = new Bench({ timeoutMs: 4_000 });
    bench.ask('a');
    for (const each of bench.held.splice(0)) each.fail(tooMuch(3_000));
    await bench.clock.advance(0);
    expect(bench.outcomes).toEqual([expect.stringMatching(/^a issuer_overloaded \d+$/)]);
  });

  it('never tells a workload to stay away for longer than a part of what its certificate has left', async () => {
    const bench = new Bench();
    await bench.fail(5);
    bench.outcomes.length = 0;
    // So many that the last one's turn would be an hour away.
    const refusals = Array.from({ length: 40_000 }, (_, number) =>
      thrownBy(() => bench.guard.checkOpen(number % 2 === 0 ? later(60 * minute) : undefined)),
    );
    expect(refusals.every((error) => errorMessage(error).includes('got none'))).toBe(true);
    for (let number = 0; number < 5_000; number += 1) bench.ask('eight minutes left', 8);
    await bench.clock.advance(0);
    bench.outcomes.length = 0;
    bench.ask('hours left', 6 * 60);
    bench.ask('eight minutes left', 8);
    bench.ask('one second left', 1 / 60);
    bench.ask('first');
    await bench.clock.advance(0);
    expect(bench.outcomes).toEqual([
      `hours left issuer_outage ${0.75 * 5 * minute}`,
      `eight minutes left issuer_outage ${0.75 * 7_500}`,
      'one second left issuer_outage 750',
      `first issuer_outage ${0.75 * minute}`,
    ]);
  });
});
