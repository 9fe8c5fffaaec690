import { createHash } from 'node:crypto';

const minute = 60_000;

/** What happened, numbered so that it can be hashed. */
export const happenings = { asked: 1, given: 2, refused: 3, lost: 4, expired: 5 } as const;

/** Everything that a run is judged by, and a hash over all that happened in it. */
export class SimulationRecord {
  readonly fromMs: number;
  /** Calls that reached the CA, by minute. */
  readonly callsByMinute: Int32Array;
  /** The shortest time that any certificate in use had left, by sample; Infinity where there was none. */
  readonly soonestMs: number[] = [];
  /** Proxies that wait for their first certificate, by sample. */
  readonly without: number[] = [];
  given = 0;
  refused = 0;
  expired = 0;
  /** The least that was ever left of a certificate when its successor came. */
  closestMs = Infinity;
  /** The longest wait for a first certificate, counted from the end of an outage where one was in the way. */
  longestStartMs = 0;
  /** When the CA was well again last. */
  wellSinceMs = 0;
  /** Most calls that reached the CA within any second. */
  peakPerSecond = 0;
  calls = 0;
  readonly #lastSecond: number[] = [];
  readonly #hash = createHash('sha256');
  readonly #numbers = new Float64Array(3 * 4096);
  #filled = 0;

  constructor(fromMs: number, lengthMs: number) {
    this.fromMs = fromMs;
    this.callsByMinute = new Int32Array(Math.ceil(lengthMs / minute) + 1);
  }

  /** A call reached the CA. */
  call(nowMs: number): void {
    this.calls += 1;
    const index = Math.floor((nowMs - this.fromMs) / minute);
    this.callsByMinute[index] = (this.callsByMinute[index] ?? 0) + 1;
    const last = this.#lastSecond;
    last.push(nowMs);
    while ((last[0] ?? nowMs) <= nowMs - 1_000) last.shift();
    this.peakPerSecond = Math.max(this.peakPerSecond, last.length);
  }

  /** A proxy that was started then has its first certificate. */
  started(nowMs: number, startedMs: number): void {
    const waitedMs = nowMs - Math.max(startedMs, this.wellSinceMs);
    this.longestStartMs = Math.max(this.longestStartMs, waitedMs);
  }

  note(nowMs: number, proxy: number, happening: keyof typeof happenings): void {
    this.#numbers[this.#filled] = nowMs;
    this.#numbers[this.#filled + 1] = proxy;
    this.#numbers[this.#filled + 2] = happenings[happening];
    this.#filled += 3;
    if (this.#filled < this.#numbers.length) return;
    this.#hash.update(this.#numbers);
    this.#filled = 0;
  }

  /** Of all that was noted, in its order; ends the record. */
  digest(): string {
    this.#hash.update(this.#numbers.subarray(0, this.#filled));
    return this.#hash.digest('hex').slice(0, 16);
  }
}
