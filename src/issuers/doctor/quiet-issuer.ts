import { LatestValue } from '../../runtime/latest.ts';
import { createLog, type Log } from '../../runtime/log.ts';
import { Metrics } from '../../runtime/metrics.ts';
import { CheckedIssuer } from '../checked-issuer.ts';
import type { Issuer } from '../issuer.ts';
import { issuerMetrics } from '../issuer-metrics.ts';
import type { ExaminationNeeds } from './needs.ts';

/** What goes wrong is in the findings, so nothing is logged. */
export function quietLog(): Log {
  return createLog({ name: 'kedge-doctor', level: 'error', destination: { write: () => undefined } });
}

/** An issuer with the checks around it that every issuer of the identity service has. */
export function quietChecked(
  inner: Issuer,
  { bundle, clock }: Pick<ExaminationNeeds, 'bundle' | 'clock'>,
  timeoutMs: number,
): Issuer {
  return new CheckedIssuer(inner, {
    anchors: new LatestValue(bundle),
    metrics: issuerMetrics(new Metrics()),
    log: quietLog(),
    clock,
    timeoutMs,
  });
}
