import { Admission } from '../../src/identity/admission.ts';
import { Audit } from '../../src/identity/audit.ts';
import { certifier, type Certify } from '../../src/identity/certify.ts';
import { Holdings } from '../../src/identity/holdings.ts';
import type { IdentityMetrics } from '../../src/identity/identity-metrics.ts';
import type { TokenVerifier } from '../../src/identity/token/token-verifier.ts';
import { issuerErrors } from '../../src/issuers/errors.ts';
import type { Issuer } from '../../src/issuers/issuer.ts';
import type { GuardMetrics } from '../../src/issuers/outage/guard-metrics.ts';
import { GuardedIssuer } from '../../src/issuers/outage/guarded-issuer.ts';
import type { Csr } from '../../src/pki/csr.ts';
import type { MeshDomain } from '../../src/pki/workload-identity.ts';
import { withinDeadline } from '../../src/runtime/deadline.ts';
import type { Log } from '../../src/runtime/log.ts';
import { hour } from './plan.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface ReplicaNeeds {
  readonly clock: VirtualClock;
  readonly random: () => number;
  readonly ca: Issuer;
  readonly domain: MeshDomain;
  readonly tokens: TokenVerifier;
  readonly parseCsr: (der: Uint8Array) => Csr;
  /** KEDGE_ISSUER_RATE. */
  readonly rate: number | undefined;
}

/** The other settings are those that a process has by itself. */
export const lifetimeMs = 24 * hour;
const timeoutMs = 10_000;
/** As in rpc/certifier.ts, less what it takes until the request is here: a proxy gives up before its replica does. */
const patienceMs = 9_990;
const rates = { total: 1_000, perPeer: 20, perServiceAccount: 50 };

/** One process of the identity service: what decides is the real thing, what costs only time is not there. */
export class Replica {
  readonly #needs: ReplicaNeeds;
  readonly #open = new Set<AbortController>();
  #certify: Certify | undefined;

  constructor(needs: ReplicaNeeds) {
    this.#needs = needs;
    this.start();
  }

  get isUp(): boolean {
    return this.#certify !== undefined;
  }

  /** With empty hands: nothing is kept over a restart. */
  start(): void {
    const { clock, random, ca, rate, domain, tokens, parseCsr } = this.#needs;
    const guarded = new GuardedIssuer(ca, {
      ...{ clock, log: silent, metrics: nowhere, concurrency: 32, rate, timeoutMs, random },
    });
    this.#certify = certifier({
      ...{ domain, tokens, parseCsr, clock },
      admission: new Admission(rates, clock),
      issuer: withTimeout(guarded, clock),
      limits: { lifetimeMs, skewMs: 20_000 },
      audit: new Audit(silent, nowhere, clock),
      holdings: new Holdings(clock),
    });
  }

  stop(): void {
    this.#certify = undefined;
    for (const call of this.#open) call.abort(new Error('the connection is gone'));
  }

  async certify(ask: Omit<Parameters<Certify>[0], 'signal'>): ReturnType<Certify> {
    if (this.#certify === undefined) throw new Error('expected a replica that runs');
    const call = new AbortController();
    this.#open.add(call);
    const patience = this.#needs.clock.after(patienceMs, () => call.abort(new Error('the proxy gave up')));
    try {
      return await this.#certify({ ...ask, signal: call.signal });
    } finally {
      patience.cancel();
      this.#open.delete(call);
    }
  }
}

/** What `CheckedIssuer` does, but for looking at the answer. */
function withTimeout(inner: GuardedIssuer, clock: VirtualClock): Issuer {
  const late = (): Error =>
    issuerErrors.error('issuer_timeout', 'no answer in time', { retryAfterMs: 5_000 });
  return {
    state: inner.state,
    checkOpen: (goodUntil) => inner.checkOpen(goodUntil),
    issue: (request, signal) =>
      withinDeadline({ clock, ms: timeoutMs, signal, late }, (either) => inner.issue(request, either)),
  };
}

const nothing = (): void => undefined;
const silent: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => silent };
const metric = { inc: nothing, dec: nothing, set: nothing, remove: nothing, observe: nothing };
const nowhere: IdentityMetrics & GuardMetrics = {
  ...{ answers: metric, seconds: metric, degraded: metric },
  ...{ breaker: metric, waiting: metric, waited: metric, shed: metric, heldBack: metric },
};
