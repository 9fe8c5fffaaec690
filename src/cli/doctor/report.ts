import type { Finding, Result } from '../../issuers/doctor/finding.ts';
import type { DoctorConfig } from './settings.ts';

/** The JSON answer of `kedge doctor issuer`. */
export interface DoctorReport {
  readonly issuer: 'local' | 'vault' | 'cert-manager';
  /** Missing for "local". */
  readonly mode?: 'direct' | 'intermediate';
  /** The name that probes asked for. */
  readonly identity: string;
  /** The worst of all findings; those that were skipped do not count. */
  readonly result: Exclude<Result, 'skip'>;
  readonly counts: Readonly<Record<Result, number>>;
  /** In the order in which they were made. */
  readonly findings: readonly Finding[];
}

const usualModes = { vault: 'direct', 'cert-manager': 'intermediate' } as const;

export function modeOf({ issuer, issuerMode }: DoctorConfig): 'direct' | 'intermediate' | undefined {
  return issuer === 'local' ? undefined : (issuerMode ?? usualModes[issuer]);
}

export function reportOf(config: DoctorConfig, identity: string, findings: readonly Finding[]): DoctorReport {
  const count = (result: Result): number => findings.filter((each) => each.result === result).length;
  const counts = { pass: count('pass'), fail: count('fail'), warn: count('warn'), skip: count('skip') };
  const mode = modeOf(config);
  return {
    issuer: config.issuer,
    ...(mode !== undefined && { mode }),
    identity,
    result: counts.fail > 0 ? 'fail' : counts.warn > 0 ? 'warn' : 'pass',
    counts,
    findings,
  };
}
