import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from '../support/eventually.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { Component } from './component.ts';
import { Guard } from './guard.ts';
import { createOwnedState, removeOrphans } from './owned-state.ts';
import { loopback } from './place.ts';
import { isRunning, recordOf } from './process-record.ts';
import type { ProcessRecord } from './process-record.ts';
import { StateDirectory } from './state-directory.ts';

interface Standing {
  readonly state: StateDirectory;
  readonly component: ProcessRecord;
}

/** A process that holds a cluster of one component, killed before it could end that. */
async function crash(how: 'guarded' | 'alone', temporary: string): Promise<Standing> {
  const program = path.join(import.meta.dirname, 'hold-cluster.ts');
  const holder = spawn(process.execPath, [program, how, temporary], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(holder.stdout), 'line')) as [string];
  const { directory, pid } = JSON.parse(line) as { readonly directory: string; readonly pid: number };
  const component = recordOf(pid);
  if (component === undefined) throw new Error('expected the component to run');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  return { state: StateDirectory.at(directory), component };
}

const sleeper = { name: 'sleeper', words: [process.execPath, '--eval', 'setInterval(() => {}, 1e6)'] };

describe('a cluster whose process is gone', () => {
  it('is ended and removed by its guard', async () => {
    using temporary = new TemporaryDirectory();
    const { state, component } = await crash('guarded', temporary.path);
    await eventually(() => {
      expect([isRunning(component), existsSync(state.path)]).toEqual([false, false]);
    });
  });

  it('is ended and removed by the next one that starts when the guard is gone too', async () => {
    using temporary = new TemporaryDirectory();
    const { state, component } = await crash('alone', temporary.path);
    expect(isRunning(component)).toBe(true);
    await removeOrphans(temporary.path);
    expect([isRunning(component), existsSync(state.path)]).toEqual([false, false]);
  });

  it('is told from one whose process lives', async () => {
    using temporary = new TemporaryDirectory();
    const state = createOwnedState(temporary.path);
    const component = Component.start(sleeper, loopback, state);
    await removeOrphans(temporary.path);
    expect([component.running, existsSync(state.path)]).toEqual([true, true]);
    await state.remove();
    expect(component.running).toBe(false);
  });
});

describe('a component', () => {
  it('says with the end of its log that it ended before it was ready', async () => {
    using temporary = new TemporaryDirectory();
    const state = createOwnedState(temporary.path);
    const words = [process.execPath, '--eval', 'console.error("no such flag"); process.exit(1)'];
    const component = Component.start({ name: 'broken', words }, loopback, state);
    await expect(component.ready(() => Promise.reject(new Error('not yet')))).rejects.toThrow(
      /^expected broken to run, it ended:\nno such flag/,
    );
    await state.remove();
  });

  it('is not started when its program is missing', () => {
    using temporary = new TemporaryDirectory();
    const state = createOwnedState(temporary.path);
    const start = (): unknown =>
      Component.start({ name: 'none', words: ['/no/such/program'] }, loopback, state);
    expect(start).toThrow('expected to start /no/such/program, it cannot be run');
  });

  it('gives a guard nothing to do when it has ended in order', async () => {
    using temporary = new TemporaryDirectory();
    const state = createOwnedState(temporary.path);
    const guard = new Guard(state);
    await state.remove();
    guard.leave();
    expect(existsSync(state.path)).toBe(false);
  });
});
