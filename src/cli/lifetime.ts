const UNITS: readonly (readonly [suffix: string, seconds: number])[] = [
  ['y', 365 * 86_400],
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
];

const GRAMMAR = /^(?:\d+[ydhms])+$/;

/** Reads `10y`, `90d`, `24h0m0s` into milliseconds; a year has 365 days. Anything else gives undefined. */
export function parseLifetime(text: string): number | undefined {
  if (!GRAMMAR.test(text)) return undefined;
  const parts = text.match(/\d+[ydhms]/g) ?? [];
  const seconds = parts.map((part) => Number(part.slice(0, -1)) * (secondsOf(part.slice(-1)) ?? Number.NaN));
  const total = seconds.reduce((sum, one) => sum + one, 0);
  return Number.isSafeInteger(total * 1000) ? total * 1000 : undefined;
}

/** A length of time in its two largest units: `3649d23h`, `23h59m`, `59s`. */
export function formatLength(ms: number): string {
  let rest = Math.floor(Math.abs(ms) / 1000);
  const parts: { text: string; count: number }[] = [];
  for (const [suffix, seconds] of UNITS.slice(1)) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    parts.push({ text: `${count}${suffix}`, count });
  }
  const first = parts.findIndex(({ count }) => count > 0);
  if (first < 0) return '0s';
  return parts
    .slice(first, first + 2)
    .filter(({ count }) => count > 0)
    .map(({ text }) => text)
    .join('');
}

/** A date as people read it: `2026-11-21 20:59:40Z`. */
export function formatDate(date: Date): string {
  return date
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
}

function secondsOf(suffix: string): number | undefined {
  return UNITS.find(([known]) => known === suffix)?.[1];
}
