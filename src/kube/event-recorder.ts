import type { Clock } from '../runtime/clock.ts';
import { errorCode } from '../runtime/errors.ts';
import { LatestValue } from '../runtime/latest.ts';
import type { Log } from '../runtime/log.ts';
import type { Counter, Metrics } from '../runtime/metrics.ts';
import { RefusalLog } from '../runtime/refusal-log.ts';
import { EventSeries } from './event-series.ts';
import type { Happening } from './event-series.ts';
import type { KubeClient } from './kube-client.ts';
import { kubeMetrics } from './kube-metrics.ts';
import { events } from './resources.ts';

export interface EventRecorderOptions {
  readonly client: Pick<KubeClient, 'create' | 'patch'>;
  /** Who says it: the process, such as `kedge-identity`. */
  readonly controller: string;
  /** Which of its replicas: the pod's name. */
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What happens again within this time to the same object for the same reason is counted in the same Event. */
const windowMs = 600_000;
/** How often the count of one Event is written, at most. */
const countMs = 30_000;
/** Between any two writes: five a second in all. */
const gapMs = 200;
/** Kept at once, those written lately included. */
const maxSeries = 1_000;
/** A write that has failed as often is given up, with growing waits between. */
const maxAttempts = 6;
const firstRetryMs = 1_000;

/** Errors after which the same write may succeed later. */
const passing: ReadonlySet<string | undefined> = new Set([
  'kube_unreachable',
  'kube_untrusted',
  'kube_unauthenticated',
  'kube_throttled',
  'kube_unavailable',
  'kube_late',
]);

/**
 * Events for people who look at an object with `kubectl describe`. `record` never waits and never throws; what comes too
 * fast is counted together, and what cannot be written is lost, which a metric and the log tell.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #series = new Map<string, EventSeries>();
  /** Those with something to write, the longest waiting first, and how many they are. */
  readonly #queue: EventSeries[] = [];
  readonly #queued = new LatestValue(0);
  readonly #results: Counter<'result'>;
  readonly #losses: RefusalLog;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#results = kubeMetrics(options.metrics).events;
    this.#losses = new RefusalLog(options.log, options.clock, 'an event could not be written');
  }

  record(happening: Happening): void {
    const now = this.#options.clock.now();
    const key = keyOf(happening);
    const known = this.#series.get(key);
    if (known !== undefined && now.getTime() - known.lastAtMs <= windowMs) {
      known.add(now);
      this.#results.inc({ result: 'counted' });
      this.#writeAgain(known);
      return;
    }
    if (this.#series.size >= maxSeries) this.#dropOld(now.getTime());
    if (this.#series.size >= maxSeries) {
      this.#tellLost(1, 'too_many');
      return;
    }
    const series = new EventSeries(happening, now);
    this.#series.set(key, series);
    this.#enqueue(series);
  }

  /** Writes what was recorded, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const ended = (): boolean => signal.aborted;
    while (!ended()) {
      await this.#queued.until((count) => count > 0, signal).catch(() => undefined);
      if (ended()) break;
      const series = this.#queue.shift();
      this.#queued.set(this.#queue.length);
      if (series !== undefined) await this.#write(series, signal);
      await this.#options.clock.sleep(gapMs, signal).catch(() => undefined);
    }
    for (const { timer } of this.#series.values()) timer?.cancel();
  }

  /** Soon, if it has not been written for a while; not while it waits already. */
  #writeAgain(series: EventSeries): void {
    if (series.written === 0 || series.timer !== undefined || this.#queue.includes(series)) return;
    const sinceMs = this.#options.clock.now().getTime() - series.writtenAtMs;
    this.#enqueueAfter(series, Math.max(countMs - sinceMs, 0));
  }

  #enqueueAfter(series: EventSeries, ms: number): void {
    series.timer = this.#options.clock.after(ms, () => {
      series.timer = undefined;
      this.#enqueue(series);
    });
  }

  #enqueue(series: EventSeries): void {
    this.#queue.push(series);
    this.#queued.set(this.#queue.length);
  }

  async #write(series: EventSeries, signal: AbortSignal): Promise<void> {
    const { count } = series;
    try {
      await this.#send(series, signal);
    } catch (error) {
      if (signal.aborted) return;
      const code = errorCode(error);
      // A create that was answered too late has been done all the same.
      if (code !== 'kube_exists') {
        this.#failed(series, code);
        return;
      }
    }
    this.#results.inc({ result: 'written' });
    series.written = count;
    series.writtenAtMs = this.#options.clock.now().getTime();
    series.attempts = 0;
    if (series.count > count) this.#writeAgain(series);
  }

  async #send(series: EventSeries, signal: AbortSignal): Promise<void> {
    const { client, controller, instance } = this.#options;
    const { place } = series;
    if (series.written > 0) await client.patch(events, place, series.change(), signal);
    else
      await client.create(events, { namespace: place.namespace }, series.event(controller, instance), signal);
  }

  #failed(series: EventSeries, code: string | undefined): void {
    if (code === 'kube_not_found' && series.written > 0) {
      series.beginAnew();
      this.#enqueue(series);
    } else if (passing.has(code) && series.attempts < maxAttempts) {
      this.#enqueueAfter(series, firstRetryMs * 2 ** series.attempts);
      series.attempts += 1;
    } else {
      this.#series.delete(keyOf(series.happening));
      this.#tellLost(series.count - series.written, code, series.happening);
    }
  }

  #dropOld(nowMs: number): void {
    for (const [key, series] of this.#series) {
      const done = series.timer === undefined && series.written === series.count;
      if (done && nowMs - series.lastAtMs > windowMs) this.#series.delete(key);
    }
  }

  #tellLost(count: number, code: string | undefined, happening?: Happening): void {
    this.#results.inc({ result: 'lost' }, count);
    this.#losses.tell({
      code,
      ...(happening && { reason: happening.reason, regarding: happening.regarding }),
    });
  }
}

function keyOf({ regarding, reason, type }: Happening): string {
  const { kind, namespace = '', name, uid = '' } = regarding;
  return [type, reason, kind, namespace, name, uid].join('/');
}
