import type { Duration } from './gen/google/protobuf/duration.ts';

export type { Duration };

export function durationOf(ms: number): Duration {
  const seconds = Math.trunc(ms / 1000);
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1_000_000) };
}

/** Milliseconds; `undefined` for one that is absent or negative. */
export function durationMs(duration: Duration | undefined): number | undefined {
  if (duration === undefined) return undefined;
  const ms = Number(duration.seconds) * 1000 + duration.nanos / 1_000_000;
  return ms < 0 ? undefined : ms;
}
