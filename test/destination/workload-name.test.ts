import { parseWorkloadName, workloadKey } from '../../src/destination/workload-name.ts';
import { refusal } from '../support/refusal.ts';

describe('parseWorkloadName', () => {
  it.each([
    ['{"ns":"shop","pod":"api-0"}', 'shop/api-0'],
    ['{"ns":"shop", "pod":"api-0"}\n', 'shop/api-0'],
    ['{"ns":"shop","external_workload":"vm.one"}', 'shop/vm.one'],
    ['shop:api-0', 'shop/api-0'],
  ])('reads %j', (text, key) => {
    expect(workloadKey(parseWorkloadName(text))).toBe(key);
  });

  it.each([
    [''],
    ['shop'],
    ['shop:'],
    [':api-0'],
    ['shop:api-0:1'],
    ['Shop:api-0'],
    ['shop/x:api-0'],
    ['{"ns":"shop"}'],
    ['{"pod":"api-0"}'],
    ['{"ns":"shop","pod":7}'],
    ['{"ns":"shop","pod":"api-0","external_workload":"vm"}'],
    ['{"ns":"shop","pod":"../etc"}'],
    ['{"ns":"a.b","pod":"api-0"}'],
    ['{'],
  ])('refuses %j', (text) => {
    expect(refusal(() => parseWorkloadName(text))).toMatch(/^workload_invalid: expected .+, got "/);
  });
});
