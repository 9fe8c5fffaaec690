import * as prometheus from 'prom-client';

export type MetricType = 'counter' | 'gauge' | 'histogram';

/** What docs/metrics.md says of a metric. */
export interface MetricDeclaration {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly labels: readonly string[];
}

/** A value for every label of the metric, no more and no less. */
export type Labels<L extends string> = Readonly<Record<L, string | number>>;

/** Labels come first where a metric has any: `inc()` and `inc(5)`, but `inc({ result })` and `inc({ result }, 5)`. */
type WithLabels<L extends string, Rest extends readonly unknown[]> = [L] extends [never]
  ? Rest
  : [labels: Labels<L>, ...Rest];

export interface Counter<L extends string = never> {
  inc(...by: WithLabels<L, [n?: number]>): void;
  /** Shows these labels no longer. */
  remove(labels: Labels<L>): void;
}

export interface Gauge<L extends string = never> extends Counter<L> {
  set(...to: WithLabels<L, [value: number]>): void;
  dec(...by: WithLabels<L, [n?: number]>): void;
}

export interface Histogram<L extends string = never> {
  observe(...value: WithLabels<L, [value: number]>): void;
  /** Shows these labels no longer. */
  remove(labels: Labels<L>): void;
}

/**
 * The metrics of one process, in a registry of their own. A metric that is declared twice in the same words is
 * the same metric (two servers of one process share their counters); in other words it is an error.
 */
export class Metrics {
  /** The media type of `text()`. */
  readonly contentType: string;
  readonly #registry = new prometheus.Registry();
  readonly #declared = new Map<string, { declaration: MetricDeclaration; metric: object }>();

  constructor() {
    this.contentType = this.#registry.contentType;
  }

  /** With `collect` the counter is emptied at each scrape and then counted up by it. */
  counter<const L extends string = never>(
    name: string,
    help: string,
    labels: readonly L[] = [],
    collect?: (counter: Counter<L>) => void,
  ): Counter<L> {
    return this.#declare({ name, type: 'counter', help, labels }, (options) => {
      if (collect === undefined) return new prometheus.Counter(options);
      return new prometheus.Counter({
        ...options,
        collect: emptyThen((metric) => collect(metric as Counter<L>)),
      });
    }) as Counter<L>;
  }

  /** With `collect` the gauge is emptied at each scrape and then set by it. */
  gauge<const L extends string = never>(
    name: string,
    help: string,
    labels: readonly L[] = [],
    collect?: (gauge: Gauge<L>) => void,
  ): Gauge<L> {
    return this.#declare({ name, type: 'gauge', help, labels }, (options) => {
      if (collect === undefined) return new prometheus.Gauge(options);
      return new prometheus.Gauge({
        ...options,
        collect: emptyThen((metric) => collect(metric as Gauge<L>)),
      });
    }) as Gauge<L>;
  }

  histogram<const L extends string = never>(
    name: string,
    help: string,
    labels: readonly L[],
    buckets: readonly number[],
  ): Histogram<L> {
    return this.#declare(
      { name, type: 'histogram', help, labels },
      (options) => new prometheus.Histogram({ ...options, buckets: [...buckets] }),
    ) as Histogram<L>;
  }

  /** Everything in the Prometheus text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get declarations(): MetricDeclaration[] {
    return [...this.#declared.values()].map(({ declaration }) => declaration);
  }

  /** Gives an object, which the callers take for the interfaces above: those say more of labels than prom-client's types. */
  #declare(declaration: MetricDeclaration, create: (options: MetricOptions) => object): object {
    const { name, help, labels } = declaration;
    const before = this.#declared.get(name);
    if (before !== undefined) {
      if (!sameDeclaration(before.declaration, declaration)) {
        throw new TypeError(`expected metric ${name} to be declared in the same words each time`);
      }
      return before.metric;
    }
    const metric = create({ name, help, labelNames: [...labels], registers: [this.#registry] });
    this.#declared.set(name, { declaration, metric });
    return metric;
  }
}

interface MetricOptions {
  name: string;
  help: string;
  labelNames: string[];
  registers: prometheus.Registry[];
}

/** prom-client calls `collect` on its metric. */
function emptyThen(collect: (metric: object) => void): (this: { reset(): void }) => void {
  return function () {
    this.reset();
    collect(this);
  };
}

function sameDeclaration(a: MetricDeclaration, b: MetricDeclaration): boolean {
  return a.type === b.type && a.help === b.help && a.labels.join() === b.labels.join();
}
