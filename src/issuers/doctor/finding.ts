/**
 * `skip`: it does not apply, or could not be told after something else had failed. `warn`: the mesh works, and something should
 * be seen to.
 */
export type Result = 'pass' | 'fail' | 'warn' | 'skip';

/** One thing that is looked at. */
export interface Check {
  /** For programs; stays the same. */
  readonly check: string;
  /** For people: what should be so. */
  readonly title: string;
}

/** What became of one check. Texts hold no secret. */
export interface Finding extends Check {
  readonly result: Result;
  readonly seen: string;
  /** The one thing to be changed: `policy pki/sign/kedge`, `role max_ttl`, `rbac certificaterequests create`. */
  readonly concerns?: string;
  /** What to do about it. */
  readonly remedy?: string;
}

export interface Advice {
  readonly concerns?: string | undefined;
  readonly remedy: string;
}

export function passed(check: Check, seen: string): Finding {
  return { ...check, result: 'pass', seen };
}

export function skipped(check: Check, seen: string): Finding {
  return { ...check, result: 'skip', seen };
}

export function failed(check: Check, seen: string, { concerns, remedy }: Advice): Finding {
  return { ...check, result: 'fail', seen, ...(concerns !== undefined && { concerns }), remedy };
}

export function warned(check: Check, seen: string, advice: Advice): Finding {
  return { ...failed(check, seen, advice), result: 'warn' };
}

/** Whether something failed that what comes after depends on. */
export function anyFailed(findings: readonly Finding[]): boolean {
  return findings.some(({ result }) => result === 'fail');
}
