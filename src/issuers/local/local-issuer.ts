import { signLeaf } from '../../pki/sign-leaf.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Latest } from '../../runtime/latest.ts';
import { LatestValue } from '../../runtime/latest.ts';
import { issuerErrors } from '../errors.ts';
import type {
  IntermediateCa,
  IntermediateSource,
  IssuedCertificate,
  Issuer,
  IssueRequest,
  IssuerState,
} from '../issuer.ts';

const retryAfterMs = 10_000;

/** Signs leaves in this process, with whatever CA its source holds at that moment. */
export class LocalIssuer implements Issuer {
  readonly #source: IntermediateSource;
  readonly #clock: Clock;
  readonly #state: LatestValue<IssuerState>;

  constructor(source: IntermediateSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
    this.#state = new LatestValue(stateOf(source), sameState);
    const update = (): void => this.#state.set(stateOf(source));
    source.current.subscribe(update);
    source.problem.subscribe(update);
  }

  get state(): Latest<IssuerState> {
    return this.#state;
  }

  /** The names and the times are the request's; the end is no later than that of the CA and of those above it. */
  async issue(request: IssueRequest): Promise<IssuedCertificate> {
    const { pair, notAfter } = this.#present();
    const leaf = signLeaf(pair, {
      publicKey: request.csr.publicKey,
      dnsName: request.dnsName,
      ...(request.uri !== undefined && { uri: request.uri }),
      notBefore: request.notBefore,
      notAfter: notAfter < request.notAfter ? notAfter : request.notAfter,
    });
    return Promise.resolve({ leaf, intermediates: [pair.certificate, ...pair.chain] });
  }

  #present(): IntermediateCa {
    const ca = this.#source.current.value;
    if (ca === undefined) throw unavailable(`none (${this.#source.problem.value ?? 'not read yet'})`);
    if (ca.notAfter <= this.#clock.now()) throw unavailable(`one that ended at ${ca.notAfter.toISOString()}`);
    return ca;
  }
}

function unavailable(got: string): Error {
  return issuerErrors.error('issuer_unavailable', `expected an issuer that can sign, got ${got}`, {
    retryAfterMs,
  });
}

function stateOf(source: IntermediateSource): IssuerState {
  const ca = source.current.value;
  const problem = source.problem.value;
  if (ca === undefined)
    return { state: 'unavailable', reason: problem ?? 'the issuer has not been read yet' };
  const { notBefore, notAfter, pair } = ca;
  const { fingerprint } = pair.certificate;
  return {
    state: 'ready',
    notBefore,
    notAfter,
    fingerprint,
    ...(problem !== undefined && { degraded: problem }),
  };
}

function sameState(a: IssuerState, b: IssuerState): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
