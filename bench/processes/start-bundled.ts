import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { get } from '../../src/cli/demo/get.ts';
import type { ProcessOptions } from '../../src/cli/demo/processes.ts';
import type { World } from '../../src/cli/demo/world.ts';
import type { Processes, Started } from './processes.ts';

const patienceMs = 30_000;

/** Who starts it, where its files lie, and what comes before the command (see `onCore`). */
export interface StartBundledOptions {
  readonly processes: Processes;
  readonly world: World;
  readonly pin?: (command: readonly string[]) => readonly string[];
}

/** Starts a process of Kedge from its bundle, as a container does. */
export function startUnready(
  options: ProcessOptions,
  { processes, world, pin = (command) => command }: StartBundledOptions,
): Started {
  const [program = ''] = options.name.split(' ');
  const bundle = path.join(import.meta.dirname, '..', '..', 'dist', `${program}.mjs`);
  if (!existsSync(bundle)) throw new Error(`expected ${bundle}, found none; run \`npm run build\``);
  return processes.start(options.name, pin([process.execPath, bundle]), {
    env: options.settings ?? {},
    logFile: world.path('logs', `${options.name.replace(' ', '-')}.log`),
  });
}

/** The same, and waits until it is ready. */
export async function startBundled(options: ProcessOptions, where: StartBundledOptions): Promise<Started> {
  const started = startUnready(options, where);
  const deadline = performance.now() + patienceMs;
  while (!(await isReady(options.adminPort ?? 0))) {
    started.checkRunning();
    if (performance.now() > deadline)
      throw new Error(`expected ${options.name} to be ready within ${patienceMs / 1000} s`);
    await sleep(50);
  }
  return started;
}

async function isReady(port: number): Promise<boolean> {
  const answer = await get(port, '/ready', { timeoutMs: 1000 }).catch(() => undefined);
  return answer?.status === 200;
}
