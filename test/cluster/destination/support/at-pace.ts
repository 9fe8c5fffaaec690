import { setTimeout as pause } from 'node:timers/promises';

/** Beyond so many calls without an answer, the other side sets the pace. */
const mostAtOnce = 64;

/** Makes `count` calls at so many a second, as far as the other side keeps up; gives how many a second it really took. */
export async function atPace(
  { count, perSecond }: { readonly count: number; readonly perSecond: number },
  call: (i: number) => Promise<unknown>,
): Promise<number> {
  const beganAt = performance.now();
  const open = new Set<Promise<unknown>>();
  for (let i = 0; i < count; i += 1) {
    const early = beganAt + (i * 1000) / perSecond - performance.now();
    if (early >= 1) await pause(early);
    while (open.size >= mostAtOnce) await Promise.race(open);
    const one = call(i).finally(() => open.delete(one));
    open.add(one);
  }
  await Promise.all(open);
  return (count * 1000) / (performance.now() - beganAt);
}
