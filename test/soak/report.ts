import { table } from '../../src/cli/table.ts';
import type { Paint } from '../../src/cli/table.ts';
import { measures } from './growth.ts';
import type { Measure } from './growth.ts';
import { judge } from './judge.ts';
import type { Counts, Fault, Kind } from './ledger.ts';
import { megabytes, shownGrowth } from './shown-growth.ts';
import type { Soak } from './soak.ts';
import type { ProcessReport } from './watch.ts';

/** Everything that a soak found out. */
export interface SoakReport {
  /** Nothing went wrong, and something was asked. */
  readonly ok: boolean;
  /** False where it was too short, or cut short, for everything to happen and for growth to be judged. */
  readonly whole: boolean;
  readonly seconds: number;
  readonly requests: Readonly<Record<Kind | 'all', Counts>>;
  readonly events: Readonly<Record<string, number>>;
  readonly processes: readonly ProcessReport[];
  readonly faults: readonly Fault[];
}

/** The report of a soak that has ended. */
export function reportOf(soak: Soak): SoakReport {
  const { ledger, changes, watch, fleet, fromMs, toMs } = soak;
  const processes = watch.report(soak);
  const events = {
    'certificates renewed': processes.reduce((total, { renewals }) => total + renewals, 0),
    'issuers swapped': changes.counts.issuers,
    'issuers taken into use': processes.reduce((total, { issuersTaken }) => total + issuersTaken, 0),
    'changes of endpoints': changes.counts.endpoints,
    'changes of policy': changes.counts.policies,
    'restarts, in order': fleet.restarts.SIGTERM,
    'restarts, by SIGKILL': fleet.restarts.SIGKILL,
    'requests ended on an endpoint taken out meanwhile': ledger.drained,
  };
  for (const { of, what } of judge(processes, events, soak.whole)) ledger.fault(of, what);
  return {
    ok: ledger.faults.length === 0 && ledger.total.requests > 0,
    whole: soak.whole,
    seconds: (toMs - fromMs) / 1000,
    requests: { ...ledger.counts, all: ledger.total },
    events,
    processes,
    faults: ledger.faults,
  };
}

/** The tables at the end, for people. */
export function render(report: SoakReport, paint: Paint): string {
  const { seconds } = report;
  const events = Object.entries(report.events).map(([event, count]) => [event, count.toLocaleString('en')]);
  return [
    `${paint.strong('Requests')}\n${requestTable(report.requests, paint)}`,
    `${paint.strong('Meanwhile')}\n${table(events, { indent: 2 })}`,
    `${paint.strong('Processes, third quarter -> last quarter')}\n${processTable(report.processes, paint)}`,
    ...(report.faults.length > 0 ? [`${paint.strong('Faults')}\n${faultTable(report.faults)}`] : []),
    `${verdict(report, paint)} in ${Math.round(seconds)} s.\n`,
  ].join('\n');
}

function verdict({ ok, whole, faults }: SoakReport, paint: Paint): string {
  if (ok)
    return paint.good(
      `No failed request, no wrong byte, no growth${whole ? '' : ' where it could be judged'}`,
    );
  if (faults.length === 0) return paint.bad('No request');
  return paint.bad(`${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`);
}

function requestTable(requests: SoakReport['requests'], paint: Paint): string {
  const bad = (count: number): string => (count === 0 ? '0' : paint.bad(count.toLocaleString('en')));
  const rows = Object.entries(requests).map(([kind, counts]) => [
    kind,
    counts.requests.toLocaleString('en'),
    counts.refused.toLocaleString('en'),
    megabytes(counts.bytes),
    (counts.slowestMs / 1000).toFixed(1),
    bad(counts.failed),
    bad(counts.wrong),
  ]);
  return table(rows, {
    header: ['kind', 'requests', 'refused by policy', 'MB', 'slowest, s', 'failed', 'wrong bytes'],
    indent: 2,
  });
}

function processTable(processes: readonly ProcessReport[], paint: Paint): string {
  const rows = processes.map(({ name, runs, renewals, growth }) => [
    name,
    String(runs),
    name === 'identity' ? '-' : String(renewals),
    ...(Object.keys(measures) as Measure[]).map((measure) => {
      const text = shownGrowth(measure, growth[measure]);
      return growth[measure]?.grows ? paint.bad(`${text} grows`) : text;
    }),
  ]);
  return table(rows, {
    header: ['process', 'runs', 'renewals', 'heap, MB', 'resident, MB', 'descriptors'],
    indent: 2,
  });
}

const shownFaults = 10;

function faultTable(faults: readonly Fault[]): string {
  const rows = faults
    .slice(0, shownFaults)
    .map(({ atMs, of, what }) => [`${(atMs / 1000).toFixed(1)} s`, of, what]);
  const more = faults.length - rows.length;
  return table(rows, { indent: 2 }) + (more > 0 ? `  and ${more} more\n` : '');
}
