import { forecastOf } from '../../src/identity/expiry-forecast.ts';
import { Holdings, type Holder } from '../../src/identity/holdings.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { clientIdentity as web, testDomain } from '../support/rpc-server.ts';

const hour = 3_600_000;
const api = testDomain.identity('shop', 'api');

class Bench {
  readonly clock = new ManualClock();
  readonly holdings: Holdings;

  constructor(most?: number) {
    this.holdings = new Holdings(this.clock, most);
  }

  in(hours: number): Date {
    return new Date(this.clock.now().getTime() + hours * hour);
  }

  give(holder: Holder, hours = 24): void {
    this.holdings.given(holder, this.in(hours));
  }

  async pass(hours: number): Promise<void> {
    await this.clock.advance(hours * hour);
  }

  /** If nothing is signed from then on; from now, unless told. */
  forecast(signsUntil = this.clock.now()): ReturnType<typeof forecastOf> {
    return forecastOf(this.holdings.current(), { now: this.clock.now(), signsUntil });
  }
}

/** A pod that shows no certificate, unless told until when it shows one. */
function pod(podUid: string, identity = web, goodUntil?: Date): Holder {
  const name = goodUntil && identity.dnsName;
  return {
    identity,
    token: { podUid },
    caller: { address: '10.0.0.1', name, ...(goodUntil && { goodUntil }) },
  };
}

/** A workload outside the cluster. */
function machine(address: string): Holder {
  return { identity: web, token: {}, caller: { address, name: undefined } };
}

describe('what a workload is known to hold', () => {
  it('is nothing for one that shows nothing and was given nothing', () => {
    expect(new Bench().holdings.asked(pod('a'))).toBeUndefined();
  });

  it('is what its pod was given last, as long as that lasts, whatever it says', async () => {
    const bench = new Bench();
    bench.give(pod('a'));
    const end = bench.in(24);
    await bench.pass(23);
    expect(bench.holdings.asked(pod('a'))).toEqual(end);
    expect(bench.holdings.asked(pod('b'))).toBeUndefined();
    await bench.pass(1);
    expect(bench.holdings.asked(pod('a'))).toBeUndefined();
  });

  it('is what its connection shows, or what was given over it since', () => {
    const bench = new Bench();
    const shown = bench.in(8);
    expect(bench.holdings.asked(pod('a', web, shown))).toEqual(shown);
    bench.give(pod('a', web, shown), 24);
    expect(bench.holdings.asked(pod('a', web, shown))).toEqual(bench.in(24));
  });

  it('is not what the certificate of another name shows', () => {
    const bench = new Bench();
    const { caller } = pod('a', api, bench.in(8));
    expect(bench.holdings.asked({ ...pod('a'), caller })).toBeUndefined();
  });

  it('is not what another workload behind the same address was given', () => {
    const bench = new Bench();
    bench.give(machine('192.0.2.1'));
    expect(bench.holdings.asked(machine('192.0.2.1'))).toBeUndefined();
  });
});

describe('the forecast of expiries', () => {
  it('counts each pod once, by its newest certificate, and names who is first', async () => {
    const bench = new Bench();
    for (const uid of ['a', 'b', 'a']) bench.give(pod(uid));
    bench.give(pod('c', api), 3);
    bench.give(machine('192.0.2.1'));
    bench.give(machine('192.0.2.2'));
    expect(bench.forecast()).toEqual({
      workloads: 5,
      quiet: 0,
      first: { identity: api.dnsName, at: bench.in(3) },
      within: [0, 0, 0, 1, 1, 1, 5],
    });
    await bench.pass(3);
    expect(bench.forecast().workloads).toBe(4);
  });

  it('takes a workload for gone that has not come to renew when it should have', async () => {
    const bench = new Bench();
    bench.give(pod('gone'));
    bench.give(pod('there'));
    await bench.pass(17);
    bench.holdings.asked(pod('there'));
    await bench.pass(2.5);
    expect(bench.forecast()).toMatchObject({ workloads: 1, quiet: 1 });
  });

  it('takes nobody for gone who could not have been served', async () => {
    const bench = new Bench();
    bench.give(pod('a'));
    await bench.pass(16);
    const away = bench.clock.now();
    await bench.pass(7);
    expect(bench.forecast(away)).toMatchObject({ workloads: 1, quiet: 0, within: [0, 1, 1, 1, 1, 1, 1] });
  });

  it('lets all that renew last as long as an issuer that signs here', async () => {
    const bench = new Bench();
    bench.give(pod('a'));
    const issuerEnds = bench.in(40);
    await bench.pass(1);
    expect(bench.forecast(issuerEnds)).toMatchObject({
      first: { at: issuerEnds },
      within: [0, 0, 0, 0, 0, 0, 0],
    });
  });

  it('is bounded: those given longest ago are forgotten, and it says how many', async () => {
    const bench = new Bench(3);
    for (const uid of ['a', 'b', 'c', 'd', 'e']) bench.give(pod(uid));
    expect(bench.forecast().workloads).toBe(3);
    expect(bench.holdings.forgotten).toBe(2);
    await bench.pass(24);
    for (const uid of ['f', 'g', 'h', 'i']) bench.give(pod(uid));
    expect(bench.forecast().workloads).toBe(3);
    // What had ended made room by itself.
    expect(bench.holdings.forgotten).toBe(3);
  });
});
