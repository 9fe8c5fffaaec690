import { closeSync, constants, openSync } from 'node:fs';
import { LogOutput, openNonBlocking } from '../../src/runtime/log-output.ts';
import { IdlePipe } from '../support/idle-pipe.ts';

/** A record of about this many bytes. */
const record = (name: string, bytes = 1000): string => `${JSON.stringify({ name, x: 'x'.repeat(bytes) })}\n`;

const namesIn = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { name: string }).name);

function onPipe() {
  const pipe = new IdlePipe();
  const fd = openNonBlocking(pipe.fd);
  const output = new LogOutput(fd);
  /** Until the pipe takes no more. */
  const fill = (): number => {
    let written = 0;
    while (output.lost === 0) output.write(record(`before ${(written += 1)}`));
    return written - 1;
  };
  return {
    pipe,
    output,
    fill,
    [Symbol.dispose]: () => {
      closeSync(fd);
      pipe[Symbol.dispose]();
    },
  };
}

describe('the output of the log', () => {
  it('loses and counts what a full disk does not take, and says why', () => {
    const fd = openSync('/dev/full', constants.O_WRONLY);
    const output = new LogOutput(fd);
    const told: (string | undefined)[] = [];
    output.problem.subscribe((problem) => told.push(problem));
    output.write(record('a'));
    output.write(record('b'));
    expect(output.lost).toBe(2);
    expect(told).toEqual(['standard output takes no records (ENOSPC)']);
    closeSync(fd);
  });

  it('goes on past a reader that stands still, and writes again once it reads', () => {
    using bench = onPipe();
    const { pipe, output, fill } = bench;
    const count = fill();
    for (let more = 0; more < 1000; more += 1) output.write(record('lost'));
    expect(output.lost).toBe(1001);
    expect(output.problem.value).toBe('standard output takes no records (EAGAIN)');
    const read = pipe.read();
    output.write(record('after'));
    expect(output.problem.value).toBeUndefined();
    const names = namesIn(read + pipe.read());
    expect(names).toHaveLength(count + 1);
    expect(names.at(-1)).toBe('after');
  });

  it('ends a record that went out in part before it begins another', () => {
    using bench = onPipe();
    const { pipe, output } = bench;
    output.write(record('larger than the pipe', 100_000));
    output.write(record('lost'));
    expect(output.lost).toBe(1);
    const read = pipe.read();
    output.write(record('after'));
    expect(namesIn(read + pipe.read())).toEqual(['larger than the pipe', 'after']);
    expect(output.lost).toBe(1);
  });

  it('counts what is written to a reader that is gone', () => {
    using pipe = new IdlePipe();
    pipe.leave();
    const output = new LogOutput(pipe.fd);
    output.write(record('a'));
    expect([output.lost, output.problem.value]).toEqual([1, 'standard output takes no records (EPIPE)']);
  });

  it('tells of recovery when the record is written that ended it', () => {
    using bench = onPipe();
    const { pipe, output, fill } = bench;
    fill();
    const lostBy: number[] = [];
    output.problem.subscribe((problem) => {
      if (problem === undefined) output.write(record('told'));
      lostBy.push(output.lost);
    });
    const read = pipe.read();
    output.write(record('after'));
    expect(namesIn(read + pipe.read()).slice(-2)).toEqual(['after', 'told']);
    expect(lostBy).toEqual([1]);
  });
});
