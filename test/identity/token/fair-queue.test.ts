import { FairQueue } from '../../../src/identity/token/fair-queue.ts';

const never = new AbortController().signal;
const full = (): Error => new Error('full');

/** A queue whose work ends when the test says so. */
class Bench {
  readonly queue: FairQueue;
  readonly begun: string[] = [];
  readonly #ends = new Map<string, () => void>();

  constructor(limits: { atOnce: number; waiting: number; waitingPerKey: number }) {
    this.queue = new FairQueue(limits);
  }

  /** `name` is the key and a number: `a1`. */
  run(name: string, signal = never): Promise<string> {
    return this.queue.run(name.slice(0, 1), signal, full, async () => {
      this.begun.push(name);
      await new Promise<void>((resolve) => this.#ends.set(name, resolve));
      return name;
    });
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('FairQueue', () => {
  it('does no more at once than it may, and lets keys take turns', async () => {
    const bench = new Bench({ atOnce: 2, waiting: 10, waitingPerKey: 10 });
    const all = ['a1', 'a2', 'a3', 'a4', 'b1', 'c1'].map((name) => bench.run(name));
    expect(bench.begun).toEqual(['a1', 'a2']);
    for (const name of ['a1', 'a2', 'a3', 'b1', 'c1', 'a4']) await bench.end(name);
    expect(bench.begun).toEqual(['a1', 'a2', 'a3', 'b1', 'c1', 'a4']);
    expect(await Promise.all(all)).toHaveLength(6);
    const later = bench.run('d1');
    await bench.end('d1');
    expect(await later).toBe('d1');
  });

  it('refuses what cannot wait, for one key before all', async () => {
    const bench = new Bench({ atOnce: 1, waiting: 2, waitingPerKey: 1 });
    const all = [bench.run('a1'), bench.run('a2')];
    await expect(bench.run('a3')).rejects.toThrow('full');
    all.push(bench.run('b1'));
    await expect(bench.run('c1')).rejects.toThrow('full');
    for (const name of ['a1', 'a2', 'b1']) await bench.end(name);
    await Promise.all(all);
  });

  it('forgets who no longer waits, and gives the place of work that failed to the next', async () => {
    const bench = new Bench({ atOnce: 1, waiting: 3, waitingPerKey: 3 });
    const leaving = new AbortController();
    const failing = bench.queue.run('x', never, full, () => Promise.reject(new Error('failed')));
    const left = bench.run('a1', leaving.signal);
    const stayed = bench.run('a2');
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    await expect(failing).rejects.toThrow('failed');
    await bench.end('a2');
    expect(await stayed).toBe('a2');
    expect(bench.begun).toEqual(['a2']);
    await expect(bench.run('a3', AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
  });
});
