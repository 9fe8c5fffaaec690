import type { Change } from '../../../src/kube/collection.ts';
import { informer } from '../../../src/kube/informer.ts';
import type { Informer, InformerOptions } from '../../../src/kube/informer.ts';
import type { KubeObject } from '../../../src/kube/kube-object.ts';
import { configMaps } from '../../../src/kube/resources.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import type { FakeKubeApi } from '../../support/fake-kube-api.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { fixedCredentials, TestConnection } from './kube-connection.ts';

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

export const configMap = (name: string, value: string, namespace = 'shop'): ConfigMap => ({
  metadata: { namespace, name },
  data: { value },
});

/** An informer for ConfigMaps that runs, on a clock that stands still; ends with the test. */
export class Followed implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly log = new LogCapture();
  readonly metrics = new Metrics();
  readonly batches: (readonly Change<string>[])[] = [];
  readonly informer: Informer<string>;
  readonly #connection: TestConnection;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(api: FakeKubeApi, options: Partial<InformerOptions<string, ConfigMap>> = {}) {
    const { clock, log, metrics } = this;
    this.#connection = TestConnection.to({ load: fixedCredentials(api.url), clock, metrics });
    this.informer = informer<string, ConfigMap>({
      client: this.#connection,
      resource: configMaps,
      project: ({ data }) => data?.['value'],
      clock,
      log,
      metrics,
      random: () => 0,
      ...options,
    });
    this.informer.subscribe((changes) => this.batches.push(changes));
    this.#running = this.informer.run(this.#stop.signal);
  }

  get content(): Record<string, string> {
    return Object.fromEntries(this.informer.entries());
  }

  /** The value of a metric with these labels. */
  async metric(name: string, labels = ''): Promise<number> {
    const text = await this.metrics.text();
    const line = text.split('\n').find((one) => one.startsWith(`${name}{`) && one.includes(labels));
    return Number(line?.split(' ').at(-1) ?? 0);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.#connection[Symbol.dispose]();
  }
}
