import { day, hour, type Plan } from './plan.ts';
import type { SimulationRecord } from './record.ts';

const minute = 60_000;
const width = 1_200;
const left = 60;
const right = 30;
const panelHeight = 230;
const gap = 84;
const red = '#b02a2a';
const top = 92;
const plotWidth = width - left - right;
const height = top + 2 * panelHeight + gap + 48;

export interface PlotOptions {
  readonly title: string;
  readonly days: number;
  readonly plan: Plan;
  /** What the CA may be asked in a second, by all replicas together. */
  readonly rate: number;
  readonly sampleMs: number;
}

interface Panel {
  readonly y: number;
  readonly label: string;
  readonly max: number;
  readonly step: number;
}

/** CA load above, the soonest expiry below, over the days; outages and slow times are shaded. */
export function plot(record: SimulationRecord, options: PlotOptions): string {
  const { days, plan, rate, sampleMs, title } = options;
  const x = (ms: number): number => left + (ms / (days * day)) * plotWidth;
  const load: Panel = {
    y: top,
    label: `Calls to the CA per second (busiest minute of every ${sampleMs / minute})`,
    max: rate * 1.15,
    step: stepFor(rate),
  };
  const expiry: Panel = {
    y: top + panelHeight + gap,
    label: 'Hours until the first certificate in use expires',
    max: 24,
    step: 4,
  };
  const perSecond = busiest(record.callsByMinute, sampleMs / minute).map((calls) => calls / 60);
  const loadLine = perSecond.map((value, index) => [x(index * sampleMs), heightOf(load, value)] as const);
  const expiryLine = record.soonestMs
    .map((ms, index) => [x((index + 1) * sampleMs), ms / hour] as const)
    .filter(([, hours]) => Number.isFinite(hours))
    .map(([at, hours]) => [at, heightOf(expiry, hours)] as const);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(left, 30, title, 'font-size="16" font-weight="bold"'),
    legend(),
    ...[load, expiry].flatMap((panel) => [
      ...shades(plan, panel, x),
      ...restarts(plan, panel, x),
      ...axes(panel, days, x),
    ]),
    line(loadLine, '#1f5fa8', 1),
    line(expiryLine, '#1d7a3e', 1.2),
    ...limit(load, rate, `limit: ${rate.toLocaleString('en')} per second`),
    ...limit(expiry, 0, 'expired'),
    '</svg>',
    '',
  ].join('\n');
}

/** The busiest minute of each sample. */
function busiest(byMinute: Int32Array, minutes: number): number[] {
  const samples: number[] = [];
  for (let from = 0; from < byMinute.length; from += minutes) {
    samples.push(Math.max(...byMinute.subarray(from, from + minutes)));
  }
  return samples;
}

function stepFor(rate: number): number {
  return Math.max(1, Math.round(rate / 5));
}

function heightOf({ y, max }: Panel, value: number): number {
  return y + panelHeight * (1 - Math.min(value, max) / max);
}

function shades({ troubles }: Plan, { y }: Panel, x: (ms: number) => number): string[] {
  return troubles.map(({ kind, fromMs, untilMs }) => {
    const fill = kind === 'slow' ? '#f6e7b0' : '#f3c4c4';
    const across = Math.max(1, x(untilMs) - x(fromMs)).toFixed(1);
    return `<rect x="${x(fromMs).toFixed(1)}" y="${y}" width="${across}" height="${panelHeight}" fill="${fill}"/>`;
  });
}

function restarts({ upheavals }: Plan, { y }: Panel, x: (ms: number) => number): string[] {
  return upheavals
    .filter(({ kind }) => kind === 'all-restart')
    .map(({ atMs }) => upright(x(atMs), y, panelHeight));
}

function upright(x: number, y: number, long: number): string {
  const ends = [y, y + long].map((at) => [x, at] as const);
  return line(ends, '#555555', 1, '2 3');
}

/** A line that nothing is to cross, with its name on a ground of its own: whatever is below stays readable around it. */
function limit(panel: Panel, value: number, words: string): string[] {
  const at = heightOf(panel, value);
  const long = words.length * 7 + 8;
  return [
    line(
      [left, left + plotWidth].map((each) => [each, at] as const),
      red,
      1,
      '6 4',
    ),
    `<rect x="${left + 6}" y="${(at - 19).toFixed(1)}" width="${long}" height="16" fill="#ffffff" fill-opacity="0.85"/>`,
    text(left + 10, at - 6, words, `fill="${red}"`),
  ];
}

function axes(panel: Panel, days: number, x: (ms: number) => number): string[] {
  const { y, label, max, step } = panel;
  const parts = [
    text(left, y - 10, label, 'font-weight="bold"'),
    `<rect x="${left}" y="${y}" width="${plotWidth}" height="${panelHeight}" fill="none" stroke="#888888"/>`,
  ];
  for (let value = 0; value <= max; value += step) {
    const at = heightOf(panel, value);
    parts.push(
      line(
        [
          [left - 4, at],
          [left, at],
        ],
        '#888888',
        1,
      ),
    );
    parts.push(text(left - 8, at + 4, value.toLocaleString('en'), 'text-anchor="end"'));
  }
  parts.push(text(left + plotWidth / 2, y + panelHeight + 36, 'days', 'text-anchor="middle"'));
  const dayStep = Math.max(1, Math.ceil(days / 15));
  for (let each = 0; each <= days; each += dayStep) {
    parts.push(
      line(
        [
          [x(each * day), y + panelHeight],
          [x(each * day), y + panelHeight + 4],
        ],
        '#888888',
        1,
      ),
    );
    parts.push(text(x(each * day), y + panelHeight + 18, String(each), 'text-anchor="middle"'));
  }
  return parts;
}

function legend(): string {
  const box = (at: number, fill: string): string =>
    `<rect x="${at}" y="43" width="14" height="14" fill="${fill}"/>`;
  const words = (at: number, said: string): string => text(at, 55, said);
  return [
    box(left, '#f3c4c4'),
    words(left + 20, 'CA away'),
    box(left + 110, '#f6e7b0'),
    words(left + 130, 'CA slow'),
    upright(left + 227, 42, 16),
    words(left + 238, 'all pods restart'),
  ].join('');
}

function line(
  points: readonly (readonly [number, number])[],
  stroke: string,
  thickness: number,
  dashes = '',
): string {
  const list = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
  const dashed = dashes === '' ? '' : ` stroke-dasharray="${dashes}"`;
  return `<polyline points="${list}" fill="none" stroke="${stroke}" stroke-width="${thickness}"${dashed}/>`;
}

/** What is written here is never of others, so nothing is escaped. */
function text(x: number, y: number, words: string, style = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${style}>${words}</text>`;
}
