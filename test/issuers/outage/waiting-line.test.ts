import { WaitingLine } from '../../../src/issuers/outage/waiting-line.ts';

function all(line: WaitingLine<string>): string[] {
  const found: string[] = [];
  for (let one = line.first(); one !== undefined; one = line.first()) found.push(one);
  return found;
}

describe('WaitingLine', () => {
  it('serves by rank, and those of equal rank as they came', () => {
    const line = new WaitingLine<string>();
    for (const [name, rank] of [
      ['b1', 2],
      ['c', 3],
      ['a', 1],
      ['b2', 2],
      ['b3', 2],
    ] as const)
      line.join(name, rank);
    expect(all(line)).toEqual(['a', 'b1', 'b2', 'b3', 'c']);
  });

  it('sends the least urgent away, and of equal ones who came last', () => {
    const line = new WaitingLine<string>();
    line.join('first', 1);
    line.join('second', 1);
    expect([line.last(), line.length]).toEqual(['second', 1]);
  });

  it('lets go who leaves, and nobody else when one leaves twice or was served', () => {
    const line = new WaitingLine<string>();
    const leave = [0, 1, 2].map((number) => line.join(`waiter ${number}`, 5));
    leave[1]?.();
    leave[1]?.();
    expect(line.first()).toBe('waiter 0');
    leave[0]?.();
    expect(all(line)).toEqual(['waiter 2']);
  });

  it('keeps its order under many who come and leave', () => {
    const line = new WaitingLine<number>();
    const leave: (() => void)[] = [];
    for (let number = 0; number < 2_000; number += 1) {
      const rank = (number * 7919) % 997;
      leave.push(line.join(rank, rank));
    }
    for (let number = 0; number < leave.length; number += 3) leave[number]?.();
    const served: number[] = [];
    for (let one = line.first(); one !== undefined; one = line.first()) served.push(one);
    expect(served).toHaveLength(2_000 - Math.ceil(2_000 / 3));
    expect(served).toEqual(served.toSorted((a, b) => a - b));
  });
});
