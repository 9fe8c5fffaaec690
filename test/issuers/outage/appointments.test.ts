import { Appointments } from '../../../src/issuers/outage/appointments.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const now = new Date('2026-01-01T00:00:00Z');
const perMs = 1 / 100;

function book(): Appointments {
  return new Appointments(new ManualClock(now), () => 0.5);
}

describe('Appointments', () => {
  it('calls those who can bear it back one after the other', () => {
    const appointments = book();
    const times = [1, 2, 3].map(() => appointments.next({ fromMs: 2_000, perMs, bearableMs: 60_000 }));
    expect(times).toEqual([2_100, 2_200, 2_300]);
  });

  it('calls nobody back within a second', () => {
    expect(book().next({ fromMs: 0, perMs, bearableMs: 60_000 })).toBe(1_100);
  });

  it('leaves the turn to others of who cannot wait for it', () => {
    const appointments = book();
    expect(appointments.next({ fromMs: 300_000, perMs, bearableMs: 8_000 })).toBe(6_000);
    expect(appointments.next({ fromMs: 2_000, perMs, bearableMs: 8_000 })).toBe(2_100);
  });
});
