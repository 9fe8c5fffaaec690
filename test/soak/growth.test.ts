import { growthOf } from './growth.ts';
import type { Sample } from './growth.ts';

const mb = 2 ** 20;
const span = { fromMs: 0, toMs: 60_000 };

/** A reading every two seconds for a minute. */
function samples(of: (second: number) => Partial<Sample>): Sample[] {
  return Array.from({ length: 30 }, (_, at) => ({
    atMs: at * 2_000,
    heap: 30 * mb,
    resident: 120 * mb,
    descriptors: 40,
    ...of(at * 2),
  }));
}

describe('growthOf', () => {
  it('finds a heap that rises by 256 KB a second', () => {
    const leaking = samples((second) => ({ heap: (30 + second / 4) * mb }));
    expect(growthOf(leaking, 'heap', span)).toMatchObject({ grows: true });
  });

  it('finds a descriptor lost every two seconds', () => {
    const leaking = samples((second) => ({ descriptors: 40 + second / 2 }));
    expect(growthOf(leaking, 'descriptors', span)).toEqual({ before: 43, after: 58, grows: true });
  });

  it('finds a slow leak once the soak is long enough', () => {
    const slow = Array.from({ length: 1_800 }, (_, at) => ({
      atMs: at * 2_000,
      heap: 30 * mb + at * 8_000,
      resident: 120 * mb,
      descriptors: 40,
    }));
    expect(growthOf(slow.slice(0, 30), 'heap', span)).toMatchObject({ grows: false });
    expect(growthOf(slow, 'heap', { fromMs: 0, toMs: 3_600_000 })).toMatchObject({ grows: true });
  });

  it('takes the bytes and connections of requests under way for no growth', () => {
    const busy = samples((second) => ({
      heap: (30 + (second >= 30 ? (second % 3) * 8 : 0)) * mb,
      descriptors: 40 + (second >= 30 ? (second % 3) * 15 : 0),
    }));
    expect(growthOf(busy, 'heap', span)).toMatchObject({ grows: false });
    expect(growthOf(busy, 'descriptors', span)).toMatchObject({ grows: false });
  });

  it('takes a level that falls, and one that rises once by little, for no growth', () => {
    const falling = samples((second) => ({ heap: (60 - second) * mb }));
    const settling = samples((second) => ({ resident: (second < 30 ? 120 : 130) * mb }));
    expect(growthOf(falling, 'heap', span)).toMatchObject({ grows: false });
    expect(growthOf(settling, 'resident', span)).toMatchObject({ grows: false });
  });

  it('says nothing of what was hardly seen', () => {
    const few = samples(() => ({})).filter(({ atMs }) => atMs % 20_000 === 0);
    expect(growthOf(few, 'heap', span)).toBeUndefined();
    expect(growthOf([], 'heap', span)).toBeUndefined();
  });
});
