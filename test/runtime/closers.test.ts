import { Closers } from '../../src/runtime/closers.ts';
import { LogCapture } from '../support/log-capture.ts';

const never = (): Promise<void> => new Promise(() => undefined);
const noDeadline = (): AbortSignal => new AbortController().signal;

describe('closers', () => {
  it('close in the reverse order of their registration, one after the other', async () => {
    const order: string[] = [];
    const closers = new Closers(new LogCapture());
    for (const name of ['first', 'second', 'third']) {
      closers.add(name, async () => {
        order.push(`${name} begins`);
        await Promise.resolve();
        order.push(`${name} ends`);
      });
    }
    expect(await closers.closeAll(noDeadline())).toEqual([]);
    expect(order).toEqual([
      'third begins',
      'third ends',
      'second begins',
      'second ends',
      'first begins',
      'first ends',
    ]);
  });

  it('go on when one of them fails, and the log says which', async () => {
    const log = new LogCapture();
    const closers = new Closers(log);
    let reached = false;
    closers.add('listener', async () => {
      reached = true;
    });
    closers.add('store', () => Promise.reject(new Error('disk full')));
    expect(await closers.closeAll(noDeadline())).toEqual([]);
    expect(reached).toBe(true);
    expect(log.records).toEqual([
      {
        level: 'error',
        message: 'closing failed',
        fields: { part: 'store', error: { message: 'disk full' } },
      },
    ]);
  });

  it('are not waited for beyond the deadline, and the rest still learns of it', async () => {
    const deadline = new AbortController();
    const closers = new Closers(new LogCapture());
    let late: boolean | undefined;
    closers.add('registered first', async (signal) => {
      late = signal.aborted;
    });
    closers.add('stuck', never);
    const closing = closers.closeAll(deadline.signal);
    deadline.abort();
    expect(await closing).toEqual(['stuck']);
    expect(late).toBe(true);
  });

  it('that end when the deadline passes count as finished', async () => {
    const deadline = new AbortController();
    const closers = new Closers(new LogCapture());
    closers.add(
      'drain',
      (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    );
    const closing = closers.closeAll(deadline.signal);
    deadline.abort();
    expect(await closing).toEqual([]);
  });

  it('registered while closing are closed at once and waited for', async () => {
    const closers = new Closers(new LogCapture());
    let closed = false;
    closers.add('early', async () => {
      closers.add('late', async () => {
        await Promise.resolve();
        closed = true;
      });
    });
    await closers.closeAll(noDeadline());
    expect(closed).toBe(true);
  });
});
