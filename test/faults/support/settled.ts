import { setTimeout as pause } from 'node:timers/promises';

const stepMs = 20;
const sameFor = 25;

/** Waits until a figure that grows has stopped growing for a while. */
export async function settled(read: () => number): Promise<number> {
  let last = read();
  for (let same = 0; same < sameFor; same++) {
    await pause(stepMs);
    const now = read();
    if (now !== last) same = 0;
    last = now;
  }
  return last;
}
