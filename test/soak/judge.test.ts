import { judge } from './judge.ts';
import type { ProcessReport } from './watch.ts';

const level = { before: 10, after: 10, grows: false };
const proxy: ProcessReport = {
  name: 'proxy web',
  runs: 1,
  renewals: 3,
  issuersTaken: 0,
  growth: { heap: level, resident: level, descriptors: level },
};

describe('judge', () => {
  it('finds nothing where nothing grows and everything happened', () => {
    expect(judge([proxy], { 'certificates renewed': 3 }, true)).toEqual([]);
  });

  it('names the process and the measure that grows', () => {
    const descriptors = { before: 40, after: 90, grows: true };
    const leaking = { ...proxy, growth: { ...proxy.growth, descriptors } };
    expect(judge([leaking], {}, true)).toEqual([
      { of: 'proxy web', what: 'expected no growth of descriptors, got 40 -> 90' },
    ]);
  });

  it('does not pass a soak in which what it is for did not happen, unless it was cut short', () => {
    const events = { 'certificates renewed': 0, 'issuers swapped': 2 };
    expect(judge([proxy], events, true)).toEqual([
      { of: 'soak', what: 'expected certificates renewed, got none' },
    ]);
    expect(judge([proxy], events, false)).toEqual([]);
  });

  it('does not pass a process that was hardly seen, unless it was cut short', () => {
    const unseen = { ...proxy, growth: { ...proxy.growth, heap: undefined } };
    expect(judge([unseen], {}, true)).toEqual([
      { of: 'proxy web', what: 'expected enough readings of its memory to judge it, got too few' },
    ]);
    expect(judge([unseen], {}, false)).toEqual([]);
  });
});
