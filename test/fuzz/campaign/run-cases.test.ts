import fc from 'fast-check';
import { accepted, fuzzTarget } from '../target.ts';
import type { Job } from './job.ts';
import { runCases } from './run-cases.ts';

const job: Job = { target: 'number', kind: 'cases', count: 1000, seed: 1 };
const onCase = (): void => undefined;
const below = (limit: number) =>
  fuzzTarget<number>({
    name: 'number',
    file: 'number.ts',
    inputs: fc.nat(100),
    check(input) {
      if (input >= limit) throw new Error(`expected less than ${limit}, got ${input}`);
      return accepted;
    },
  });

describe('drawing cases', () => {
  it('tries as many as it is told to', async () => {
    const { cases, finding } = await runCases(below(101), job, onCase);
    expect([cases, finding]).toEqual([1000, undefined]);
  });

  it('gives the smallest input that fails, and the way to it', async () => {
    const { finding } = await runCases(below(50), job, onCase);
    expect(finding?.input).toBe('50');
    const path = /^number --seed 1 --path ([\d:]+)$/.exec(finding?.replay ?? '')?.[1] ?? '';
    const again = await runCases(below(50), { ...job, count: 1, path }, onCase);
    expect(again.finding?.input).toBe('50');
  });

  it('takes an end of the time before the first case for no finding', async () => {
    const { finding } = await runCases(below(101), { ...job, endAt: Date.now() - 1000 }, onCase);
    expect(finding).toBeUndefined();
  });
});
