import { CheckedIssuer } from '../../../../src/issuers/checked-issuer.ts';
import { issuerErrors } from '../../../../src/issuers/errors.ts';
import type { IssuedCertificate, Issuer, IssueRequest, IssuerState } from '../../../../src/issuers/issuer.ts';
import { declareIssuerTtl, issuerMetrics } from '../../../../src/issuers/issuer-metrics.ts';
import { signLeaf } from '../../../../src/pki/sign-leaf.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { LatestValue } from '../../../../src/runtime/latest.ts';
import type { SecretWatch } from '../../../support/secret-watch.ts';
import type { TestCa } from '../../../support/test-ca.ts';
import type { Column, End, Faults, IssuerUnderTest, Wish } from '../column.ts';
import { OpenIssuer } from '../open-issuer.ts';
import { CaFamily } from './ca-family.ts';

const nobodyToAsk = 'nothing stands between the issuer and its CA';

/** A CA in this process that does as a test says: what the checks around every issuer do by themselves. */
export function scripted(watch: SecretWatch): Column {
  return {
    name: 'scripted',
    seenOn: 'scripted',
    cannot: {
      'signs on while the CA is away': 'each certificate is signed by the CA itself',
      'keeps the last good CA when the next is no good, and says so': 'the CA has its key for itself',
      'logs in again when its log-in no longer counts': nobodyToAsk,
    },
    open: (wish) => open(wish, watch),
  };
}

async function open(wish: Wish, watch: SecretWatch): Promise<IssuerUnderTest> {
  const family = new CaFamily(wish, watch);
  const ca = new ScriptedCa(family.signing(), wish);
  const timeoutMs = wish.timeoutMs ?? 10_000;
  const opened = await OpenIssuer.made([family.anchor.certificate], watch, ({ anchors, log, metrics }) => {
    declareIssuerTtl(metrics, systemClock, () => ca.state.value);
    const around = { anchors, log, clock: systemClock, metrics: issuerMetrics(metrics), timeoutMs };
    return new CheckedIssuer(ca, around);
  });
  return { opened, faults: faultsOf(ca, family), close: () => Promise.resolve() };
}

function faultsOf(ca: ScriptedCa, family: CaFamily): Faults {
  return {
    silence: () => ca.be('silent'),
    takeAway: () => ca.be('away'),
    openCalls: () => Promise.resolve(ca.openCalls),
    replace: () => Promise.resolve(ca.becomes(family.signing())),
    replaceByStranger: async () => {
      ca.becomes(family.stranger());
    },
    misbehave: async () => {
      await ca.be('otherwise');
      return 'lifetime';
    },
    arrive: async () => ca.arrive(),
  };
}

type Mood = 'well' | 'silent' | 'away' | 'otherwise';

class ScriptedCa implements Issuer {
  readonly state: LatestValue<IssuerState>;
  openCalls = 0;
  #ca: TestCa;
  #mood: Mood = 'well';
  readonly #wish: Wish;

  constructor(ca: TestCa, wish: Wish) {
    this.#ca = ca;
    this.#wish = wish;
    this.state = new LatestValue<IssuerState>({ state: 'unavailable', reason: 'there is no CA yet' });
    if (wish.empty !== true) this.arrive();
  }

  arrive(): void {
    const { notBefore, notAfter } = this.#ca.certificate;
    this.state.set({ state: 'ready', notBefore, notAfter });
  }

  be(mood: Mood): Promise<End> {
    this.#mood = mood;
    return Promise.resolve(async () => {
      this.#mood = 'well';
    });
  }

  becomes(ca: TestCa): TestCa['certificate'] {
    this.#ca = ca;
    return ca.certificate;
  }

  async issue(request: IssueRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    if (this.#mood === 'away') throw issuerErrors.error('issuer_unavailable', 'away', { retryAfterMs: 10 });
    if (this.#mood === 'silent') await this.#never(signal);
    const { dnsName, uri, csr, notBefore, notAfter } = request;
    const { maxLifetimeMs = Infinity } = this.#wish;
    const extraMs = this.#mood === 'otherwise' ? 1_000 : 0;
    const endMs = Math.min(notAfter.getTime(), Date.now() + maxLifetimeMs);
    const leaf = signLeaf(this.#ca, {
      ...{ publicKey: csr.publicKey, dnsName, notBefore, notAfter: new Date(endMs + extraMs) },
      ...(uri !== undefined && { uri }),
    });
    return { leaf, intermediates: [this.#ca.anchor, ...this.#ca.intermediates.toReversed()] };
  }

  #never(signal: AbortSignal): Promise<never> {
    this.openCalls += 1;
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        this.openCalls -= 1;
        reject(signal.reason as Error);
      });
    });
  }
}
