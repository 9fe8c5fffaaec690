import { vaultErrors } from '../../../src/issuers/vault/errors.ts';
import { vaultMetrics } from '../../../src/issuers/vault/vault-metrics.ts';
import { VaultSession } from '../../../src/issuers/vault/vault-session.ts';
import type { VaultToken } from '../../../src/issuers/vault/vault-token.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { refusalOf } from '../../support/refusal.ts';

const { signal } = new AbortController();
const second = 1_000;
const hour = 3_600 * second;
const day = 24 * hour;

const forbidden = (): Error => vaultErrors.error('vault_forbidden', 'permission denied');
const away = (): Error => vaultErrors.error('vault_unreachable', 'ECONNREFUSED');

/** A session whose server is made of functions; `tokens` counts the log-ins, `renewals` the renewals. */
class SessionRig {
  readonly clock = new ManualClock();
  readonly log = new LogCapture();
  readonly metrics = new Metrics();
  readonly ended = new AbortController();
  readonly session: VaultSession;
  /** The paths of all calls but log-ins, with the token they were made with. */
  readonly writes: string[] = [];
  logIns = 0;
  lease: Omit<VaultToken, 'value'> = { leaseMs: hour, renewable: true, own: true };
  logIn: () => Promise<VaultToken> = () => Promise.resolve(this.next());
  /** Seconds of the lease that a renewal gives; or throws. */
  renew: () => number = () => this.lease.leaseMs / second;

  constructor() {
    this.session = new VaultSession({
      client: { write: (path, _body, { token = '' }) => this.#write(path, token) },
      login: {
        description: 'auth/test/login',
        logIn: () => {
          this.logIns += 1;
          return this.logIn();
        },
      },
      clock: this.clock,
      log: this.log,
      metrics: vaultMetrics(this.metrics, this.clock),
      random: () => 0,
    });
  }

  next(): VaultToken {
    return { value: `token-${this.logIns}`, ...this.lease };
  }

  async start(): Promise<void> {
    this.session.start(this.ended.signal);
    await this.clock.advance(0);
  }

  /** A call that gives the token it was made with. */
  call(): Promise<string> {
    return this.session.call((token) => Promise.resolve(token), signal);
  }

  get renewals(): number {
    return this.writes.filter((each) => each.startsWith('auth/token/renew-self')).length;
  }

  #write(path: string, token: string): Promise<unknown> {
    this.writes.push(`${path} ${token}`);
    if (path !== 'auth/token/renew-self') return Promise.resolve(undefined);
    return Promise.resolve().then(() => ({
      auth: { client_token: token, lease_duration: this.renew(), renewable: this.lease.renewable },
    }));
  }
}

describe('VaultSession', () => {
  it('logs in once for many who ask at the same time', async () => {
    const rig = new SessionRig();
    const answer = Promise.withResolvers<VaultToken>();
    rig.logIn = () => answer.promise;
    await rig.start();
    const calls = Array.from({ length: 100 }, () => rig.call());
    answer.resolve(rig.next());
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['token-1']));
    expect(rig.logIns).toBe(1);
  });

  it('lets a caller go that does not wait for the log-in, and the others have it', async () => {
    const rig = new SessionRig();
    const answer = Promise.withResolvers<VaultToken>();
    rig.logIn = () => answer.promise;
    await rig.start();
    const gone = new AbortController();
    const one = rig.session.call((token) => Promise.resolve(token), gone.signal);
    const other = rig.call();
    gone.abort(new Error('gone'));
    await expect(one).rejects.toThrow('gone');
    answer.resolve(rig.next());
    expect(await other).toBe('token-1');
  });

  it.each([
    ['a second', second],
    ['an hour', hour],
    ['32 days, which is longer than a timer can wait', 32 * day],
  ])('renews a token of %s at two thirds of it', async (_, leaseMs) => {
    const rig = new SessionRig();
    rig.lease = { ...rig.lease, leaseMs };
    await rig.start();
    await rig.clock.advance(Math.floor((leaseMs * 2) / 3) - 1);
    expect(rig.renewals).toBe(0);
    await rig.clock.advance(2);
    expect(rig.renewals).toBe(1);
    await rig.clock.advance(leaseMs * 3);
    expect(rig.renewals).toBe(5);
    expect(rig.logIns).toBe(1);
    rig.ended.abort();
    expect(rig.clock.pending).toBe(0);
  });

  it('is not moved by a step of the wall clock', async () => {
    const rig = new SessionRig();
    await rig.start();
    rig.clock.set(new Date('2030-01-01T00:00:00Z'));
    await rig.clock.advance(hour / 2);
    rig.clock.set(new Date('2020-01-01T00:00:00Z'));
    await rig.clock.advance(hour / 6 - 2);
    expect(rig.renewals).toBe(0);
    await rig.clock.advance(3);
    expect(rig.renewals).toBe(1);
    rig.ended.abort();
  });

  it('logs in anew where a token cannot be renewed, such as a batch token', async () => {
    const rig = new SessionRig();
    rig.lease = { ...rig.lease, renewable: false };
    await rig.start();
    await rig.clock.advance((hour * 2) / 3 + 1);
    expect(await rig.call()).toBe('token-2');
    expect(rig.renewals).toBe(0);
    rig.ended.abort();
  });

  it('logs in anew when renewal nears the greatest life of the token', async () => {
    const rig = new SessionRig();
    await rig.start();
    rig.renew = () => 600;
    await rig.clock.advance((hour * 2) / 3 + 1);
    expect([rig.renewals, rig.logIns]).toEqual([1, 2]);
    expect(await rig.call()).toBe('token-2');
    rig.ended.abort();
  });

  it('logs in anew when renewal is refused, and uses the old token until it has another', async () => {
    const rig = new SessionRig();
    await rig.start();
    rig.renew = () => {
      throw forbidden();
    };
    const answer = Promise.withResolvers<VaultToken>();
    rig.logIn = () => answer.promise;
    await rig.clock.advance((hour * 2) / 3 + 1);
    expect(await rig.call()).toBe('token-1');
    answer.resolve(rig.next());
    await rig.clock.advance(0);
    expect(await rig.call()).toBe('token-2');
    rig.ended.abort();
  });

  it('never renews a token that does not end', async () => {
    const rig = new SessionRig();
    rig.lease = { ...rig.lease, leaseMs: Infinity };
    await rig.start();
    expect(rig.clock.pending).toBe(0);
    expect(await rig.call()).toBe('token-1');
  });

  it('tries again with growing pauses when it cannot log in, and rejects calls at once meanwhile', async () => {
    const rig = new SessionRig();
    rig.logIn = () => Promise.reject(away());
    await rig.start();
    for (let call = 0; call < 50; call += 1) {
      expect(await refusalOf(rig.call())).toBe('vault_unreachable: ECONNREFUSED');
    }
    expect(rig.logIns).toBe(1);
    await rig.clock.advance(1_000 + 2_000 + 4_000);
    expect(rig.logIns).toBe(4);
    expect(rig.log.withMessage('could not log in to Vault')).toHaveLength(1);
    expect(rig.session.problem.value?.code).toBe('vault_unreachable');
    rig.logIn = () => Promise.resolve(rig.next());
    await rig.clock.advance(8_000);
    expect(await rig.call()).toBe('token-5');
    expect(rig.session.problem.value).toBeUndefined();
    rig.ended.abort();
  });

  it('logs in once when many calls are refused, and makes each of them once more', async () => {
    const rig = new SessionRig();
    await rig.start();
    let made = 0;
    const run = (token: string): Promise<string> => {
      made += 1;
      return token === 'token-1' ? Promise.reject(forbidden()) : Promise.resolve(token);
    };
    const calls = Array.from({ length: 100 }, () => rig.session.call(run, signal));
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['token-2']));
    expect([made, rig.logIns]).toEqual([200, 2]);
    rig.ended.abort();
    expect(rig.clock.pending).toBe(0);
  });

  it('does not log in for every refusal where that does not help', async () => {
    const rig = new SessionRig();
    await rig.start();
    const refused = (): Promise<string> =>
      refusalOf(rig.session.call(() => Promise.reject(forbidden()), signal));
    for (let call = 0; call < 50; call += 1)
      expect(await refused()).toBe('vault_forbidden: permission denied');
    expect(rig.logIns).toBe(2);
    await rig.clock.advance(1_000);
    for (let call = 0; call < 50; call += 1) await refused();
    expect(rig.logIns).toBe(3);
    await rig.clock.advance(1_500);
    await refused();
    expect(rig.logIns).toBe(3);
    await rig.clock.advance(500);
    await refused();
    expect(rig.logIns).toBe(4);
    rig.ended.abort();
  });

  it('does not log in for other failures', async () => {
    const rig = new SessionRig();
    await rig.start();
    expect(await refusalOf(rig.session.call(() => Promise.reject(away()), signal))).toContain('ECONNREFUSED');
    expect(rig.logIns).toBe(1);
    rig.ended.abort();
  });

  it('gives its own token back at the end, and only its own', async () => {
    const rig = new SessionRig();
    await rig.start();
    rig.ended.abort();
    await rig.session.revoke(signal);
    await rig.session.revoke(signal);
    expect(rig.writes).toEqual(['auth/token/revoke-self token-1']);
    const agent = new SessionRig();
    agent.lease = { ...agent.lease, own: false };
    await agent.start();
    agent.ended.abort();
    await agent.session.revoke(signal);
    expect(agent.writes).toEqual([]);
  });

  it('tells of log-ins without the token, and until when it has one', async () => {
    const rig = new SessionRig();
    await rig.start();
    expect(rig.log.records).toEqual([
      {
        level: 'info',
        message: 'logged in to Vault',
        fields: { login: 'auth/test/login', leaseSeconds: 3600 },
      },
    ]);
    expect(await rig.metrics.text()).toContain('kedge_vault_token_ttl_seconds 3600\n');
    expect(await rig.metrics.text()).toContain('kedge_vault_logins_total{result="ok"} 1\n');
    expect(`${rig.log.text}${await rig.metrics.text()}`).not.toContain('token-1');
    rig.ended.abort();
  });
});
