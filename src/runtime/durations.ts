const goUnitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const proxyUnitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Go counts nanoseconds in 63 bits, which is about 292 years. */
const longestGoDurationMs = Math.floor(2 ** 63 / 1e6);

const goDuration = /^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;
const goPart = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;
const proxyDuration = /^(\d+)(ms|s|m|h|d)?$/;

/**
 * A duration as Go's `time.ParseDuration` reads it (`24h0m0s`, `1.5h`, `300ms`, `0`), but never a negative one.
 * In whole milliseconds, rounded up, so that a wait that is not zero never becomes zero.
 */
export function parseGoDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!goDuration.test(text)) return undefined;
  let ms = 0;
  for (const [, amount, unit = ''] of text.matchAll(goPart)) ms += Number(amount) * (goUnitsMs[unit] ?? NaN);
  return ms <= longestGoDurationMs ? Math.ceil(roundedToNanoseconds(ms)) : undefined;
}

/** Sums of decimal fractions miss by a few bits: 0.3s is not to become 301 ms. */
function roundedToNanoseconds(ms: number): number {
  return Number(ms.toFixed(6));
}

/** A duration in the grammar of the proxy's environment (contract 2.3): one number, and one unit unless it is 0. */
export function parseProxyDuration(text: string): number | undefined {
  const [, amount, unit] = proxyDuration.exec(text.trim()) ?? [];
  if (amount === undefined) return undefined;
  const count = Number(amount);
  if (unit === undefined) return count === 0 ? 0 : undefined;
  const ms = count * (proxyUnitsMs[unit] ?? NaN);
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** Milliseconds as people write them: `24h`, `1h30m`, `20s`, `1.5s`, `300ms`; both grammars above read whole parts back. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = (ms % 60_000) / 1000;
  const parts = [hours > 0 && `${hours}h`, minutes > 0 && `${minutes}m`, seconds > 0 && `${seconds}s`];
  return parts.filter((part) => part !== false).join('');
}
