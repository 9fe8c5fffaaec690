import type { Clock } from '../runtime/clock.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { InboundObserver } from './inbound/inbound-observer.ts';
import { inboundMetrics } from './metrics/inbound-metrics.ts';
import { outboundMetrics } from './metrics/outbound-metrics.ts';
import { TransportMetrics } from './metrics/transport-metrics.ts';
import type { OutboundObserver } from './outbound/observer.ts';

/** Counts what happens to connections, under the names and labels of contract 8.3. */
export class ProxyMetrics {
  readonly inbound: InboundObserver;
  readonly outbound: OutboundObserver;

  constructor(metrics: Metrics, clock: Clock) {
    const transport = new TransportMetrics(metrics, clock);
    this.inbound = inboundMetrics(metrics, transport);
    this.outbound = outboundMetrics(metrics, transport);
  }
}
