/** Attempts in a row that have to be as policy says before it counts as being in force. */
const settledAfter = 3;
/** How long a change of policy may take to be in force, a restart of destination meanwhile included. */
const patienceMs = 20_000;

/** What policy says of the gate now, and whether that has been in force; from then on no attempt may contradict it. */
export class Gate {
  #open = true;
  #sinceMs = 0;
  #streak = 0;

  get open(): boolean {
    return this.#open;
  }

  get settled(): boolean {
    return this.#streak >= settledAfter;
  }

  change(open: boolean, nowMs: number): void {
    this.#open = open;
    this.#sinceMs = nowMs;
    this.#streak = 0;
  }

  /**
   * Takes the outcome of an attempt. Gives what is wrong with it: nothing while a change is on its way, or where policy changed
   * during the attempt.
   */
  judge(attempt: { startedMs: number; admitted: boolean; nowMs: number }): string | undefined {
    if (attempt.startedMs <= this.#sinceMs) return undefined;
    if (attempt.admitted === this.#open) {
      this.#streak += 1;
      return undefined;
    }
    const rule = `expected the client to be ${this.#open ? 'let in' : 'refused'}, it was not`;
    if (this.settled) return rule;
    this.#streak = 0;
    const forMs = attempt.nowMs - this.#sinceMs;
    return forMs > patienceMs ? `${rule}, ${Math.round(forMs / 1000)} s after policy changed` : undefined;
  }
}
