import { DestinationMetrics } from '../../../../src/destination/destination-metrics.ts';
import { ViewFailures } from '../../../../src/destination/kube/view-failures.ts';
import { Metrics } from '../../../../src/runtime/metrics.ts';
import { LogCapture } from '../../../support/log-capture.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

/** Where views tell that they could not be read, and what they have told. */
export function toldFailures() {
  const log = new LogCapture();
  const metrics = new Metrics();
  const counted = new DestinationMetrics(metrics);
  return {
    failures: new ViewFailures({ log, clock: new ManualClock(), metrics: counted }),
    told: () => log.withMessage('an answer cannot be made anew: the last one stays in use'),
    count: async (view: string) => {
      const lines = (await metrics.text()).split('\n');
      return Number(
        lines
          .find((each) => each.includes(`failures_total{view="${view}"}`))
          ?.split(' ')
          .at(-1),
      );
    },
  };
}
