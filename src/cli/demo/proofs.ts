import type { Clock } from '../../runtime/clock.ts';
import { errorMessage } from '../../runtime/errors.ts';

/** One thing that the demo set out to show. */
export interface Proof {
  claim: string;
  ok: boolean;
  /** What was seen. */
  seen: string;
}

/** Collects proofs and tells each as soon as it is known. */
export class Proofs {
  readonly #proofs: Proof[] = [];
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #tell: (proof: Proof, afterMs: number) => void;
  readonly #start: number;

  constructor(clock: Clock, signal: AbortSignal, tell: (proof: Proof, afterMs: number) => void) {
    this.#clock = clock;
    this.#signal = signal;
    this.#tell = tell;
    this.#start = clock.now().getTime();
  }

  get all(): readonly Proof[] {
    return this.#proofs;
  }

  get allHold(): boolean {
    return this.#proofs.every(({ ok }) => ok);
  }

  /**
   * Runs one proof: it returns what it saw, or throws when the claim does not hold. Throws the signal's reason once that is
   * aborted: what was cut short proves nothing either way.
   */
  async show(claim: string, prove: () => Promise<string>): Promise<void> {
    this.#signal.throwIfAborted();
    const proof = await this.#outcome(claim, prove);
    this.#signal.throwIfAborted();
    this.add(proof);
  }

  /** Runs what has to be done, and told, also when the demo is cut short. */
  async showAtEnd(claim: string, prove: () => Promise<string>): Promise<void> {
    this.add(await this.#outcome(claim, prove));
  }

  add(proof: Proof): void {
    this.#proofs.push(proof);
    this.#tell(proof, this.#clock.now().getTime() - this.#start);
  }

  #outcome(claim: string, prove: () => Promise<string>): Promise<Proof> {
    return prove().then(
      (seen) => ({ claim, ok: true, seen }),
      (error: unknown) => ({ claim, ok: false, seen: errorMessage(error) }),
    );
  }
}
