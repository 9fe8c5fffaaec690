import { RefusalLog } from '../../src/runtime/refusal-log.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';

const day = 86_400_000;

function refusals() {
  const log = new LogCapture();
  const clock = new ManualClock();
  const refused = new RefusalLog(log, clock, 'connection refused');
  const tell = (code: string, times: number): void => {
    for (let i = 0; i < times; i += 1) refused.tell({ code, error: 'no' });
  };
  return { log, clock, tell };
}

describe('a log of refusals', () => {
  it('tells each of a few', () => {
    const { log, tell } = refusals();
    tell('inbound_denied', 10);
    expect(log.withMessage('connection refused')).toHaveLength(10);
    expect(log.records[0]).toEqual({
      level: 'warn',
      message: 'connection refused',
      fields: { code: 'inbound_denied', error: 'no' },
    });
  });

  it('tells the number of those beyond, at the end of the period', async () => {
    const { log, clock, tell } = refusals();
    tell('inbound_denied', 100_000);
    await clock.advance(9_999);
    expect(log.records).toHaveLength(10);
    await clock.advance(1);
    expect(log.records.slice(10)).toEqual([
      {
        level: 'warn',
        message: 'connection refused again',
        fields: { code: 'inbound_denied', more: 99_990, withinMs: 10_000 },
      },
    ]);
  });

  it('tells of one reason whatever became of another', () => {
    const { log, tell } = refusals();
    tell('inbound_denied', 50);
    tell('mesh_untrusted', 1);
    expect(log.records.at(-1)?.fields).toMatchObject({ code: 'mesh_untrusted' });
  });

  it('keeps to its period when the wall clock is set back by a day, and when it is set forward', async () => {
    const { log, clock, tell } = refusals();
    tell('inbound_denied', 10);
    clock.set(new Date(clock.now().getTime() - day));
    tell('inbound_denied', 11);
    await clock.advance(10_000);
    expect(log.withMessage('connection refused')).toHaveLength(20);
    expect(log.withMessage('connection refused again')).toHaveLength(1);
    tell('inbound_denied', 11);
    clock.set(new Date(clock.now().getTime() + day));
    await clock.advance(10_000);
    expect(log.withMessage('connection refused again')).toHaveLength(2);
  });

  it('begins anew with each period', async () => {
    const { log, clock, tell } = refusals();
    tell('inbound_denied', 10);
    await clock.advance(10_000);
    tell('inbound_denied', 12);
    expect(log.withMessage('connection refused')).toHaveLength(20);
    await clock.advance(10_000);
    tell('inbound_denied', 1);
    expect(log.withMessage('connection refused')).toHaveLength(21);
    expect(log.withMessage('connection refused again')[0]?.fields).toMatchObject({ more: 2 });
  });
});
