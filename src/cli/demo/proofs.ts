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
  readonly #tell: (proof: Proof, afterMs: number) => void;
  readonly #start: number;

  constructor(clock: Clock, tell: (proof: Proof, afterMs: number) => void) {
    this.#clock = clock;
    this.#tell = tell;
    this.#start = clock.now().getTime();
  }

  get all(): readonly Proof[] {
    return this.#proofs;
  }

  get allHold(): boolean {
    return this.#proofs.every(({ ok }) => ok);
  }

  /** Runs one proof: it returns what it saw, or throws (or calls `expect`) when the claim does not hold. */
  async show(claim: string, prove: () => Promise<string>): Promise<void> {
    const proof = await prove().then(
      (seen) => ({ claim, ok: true, seen }),
      (error: unknown) => ({ claim, ok: false, seen: errorMessage(error) }),
    );
    this.#proofs.push(proof);
    this.#tell(proof, this.#clock.now().getTime() - this.#start);
  }
}
