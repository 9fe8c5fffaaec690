import { setTimeout as pause } from 'node:timers/promises';
import type { TestCluster } from '../../test-cluster.ts';
import { address, create, placeOf, service, slice } from './objects.ts';

const writers = 3;
const pauseMs = 20;

/**
 * Services, their slices and their pods come, change and go, until told to stop; also while nobody is there to take it.
 * Each writer has services of its own.
 */
export class Churn {
  readonly names: readonly string[];
  /** Changes that the API server has taken. */
  made = 0;
  readonly #cluster: TestCluster;
  readonly #namespace: string;
  #on = true;
  #running: Promise<unknown> = Promise.resolve();

  constructor(cluster: TestCluster, namespace: string, services: number) {
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.names = Array.from({ length: services }, (_, i) => `s${i}`);
  }

  async start(): Promise<this> {
    for (const name of this.names) await create(this.#cluster, 'Service', this.#namespace, service(name));
    this.#running = Promise.all(Array.from({ length: writers }, (_, writer) => this.#write(writer)));
    return this;
  }

  async stop(): Promise<void> {
    this.#on = false;
    await this.#running;
  }

  async #write(writer: number): Promise<void> {
    const mine = this.names.filter((_, i) => i % writers === writer);
    for (let n = 0; this.#on; n += 1) {
      try {
        await this.#change(mine[n % mine.length] ?? '', n * writers + writer);
        this.made += 1;
      } catch {
        // What is there already, what has gone already, and everything while nobody is there.
        await pause(pauseMs);
      }
    }
  }

  async #change(name: string, n: number): Promise<void> {
    const at = Array.from({ length: n % 4 }, (_, k) => ({ address: address(4 * n + k + 1) }));
    const [part, whole] = [slice(`${name}-${n % 2}`, name, at), service(name)];
    const place = (kind: 'Service' | 'EndpointSlice', of: { metadata: { name: string } }) =>
      placeOf(kind, this.#namespace, of.metadata.name);
    if (n % 7 === 6) await this.#cluster.expect(place('EndpointSlice', part), { method: 'DELETE' });
    else if (n % 31 === 30) await this.#cluster.expect(place('Service', whole), { method: 'DELETE' });
    else if (n % 31 === 15) await create(this.#cluster, 'Service', this.#namespace, whole);
    else await this.#put(part);
  }

  /** Replaces a slice, or makes it. */
  async #put(part: ReturnType<typeof slice>): Promise<void> {
    const call = { method: 'PUT', body: part };
    const { status } = await this.#cluster.call(
      placeOf('EndpointSlice', this.#namespace, part.metadata.name),
      call,
    );
    if (status === 404) await create(this.#cluster, 'EndpointSlice', this.#namespace, part);
    else if (status >= 300) throw new Error(`expected to replace a slice, got ${status}`);
  }
}
