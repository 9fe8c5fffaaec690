import { ConnectionCapacity } from '../../src/runtime/connection-capacity.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';

function roomFor(limit: number) {
  const log = new LogCapture();
  const metrics = new Metrics();
  const capacity = new ConnectionCapacity({ limit, log, metrics, clock: new ManualClock() });
  const told: string[] = [];
  const listener = { pause: () => told.push('pause'), resume: () => told.push('resume') };
  return { capacity, log, metrics, told, listener };
}

describe('the capacity of a process', () => {
  it('lets listeners pause when all places are taken, and go on when one is free', () => {
    const { capacity, told, listener } = roomFor(3);
    capacity.add(listener);
    const [first] = [capacity.take(), capacity.take()];
    expect(told).toEqual([]);
    capacity.take();
    expect(told).toEqual(['pause']);
    first();
    expect(told).toEqual(['pause', 'resume']);
  });

  it('waits for a sixteenth of them to be free, so that accepting does not pause for each anew', () => {
    const { capacity, told, listener } = roomFor(32);
    capacity.add(listener);
    const ends = Array.from({ length: 32 }, () => capacity.take());
    ends[0]!();
    expect(told).toEqual(['pause']);
    ends[1]!();
    expect(told).toEqual(['pause', 'resume']);
  });

  it('is not undone by connections that were accepted while accepting was about to pause', () => {
    const { capacity, told, listener } = roomFor(1);
    capacity.add(listener);
    const ends = [capacity.take(), capacity.take()];
    ends[0]!();
    expect(told).toEqual(['pause']);
    ends[1]!();
    expect(told).toEqual(['pause', 'resume']);
  });

  it('holds for a listener that comes while there is no place', () => {
    const { capacity, told, listener } = roomFor(1);
    capacity.take();
    capacity.add(listener);
    expect(told).toEqual(['pause']);
  });

  it('shows in metrics and in the log that accepting pauses', async () => {
    const { capacity, metrics, log } = roomFor(1);
    const end = capacity.take();
    expect(await metrics.text()).toMatch(/kedge_accept_pauses_total 1\n.*kedge_accept_paused 1\n/s);
    end();
    expect(await metrics.text()).toMatch(/kedge_accept_paused 0\n.*kedge_connection_capacity 1\n/s);
    expect(log.withMessage('accepting paused').map(({ fields }) => fields)).toEqual([
      {
        code: 'no_descriptors',
        error: 'expected less than 1 open connections, got as many; others wait until some have ended',
      },
    ]);
  });
});
