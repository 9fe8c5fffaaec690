import { day, hour, type Plan } from './plan.ts';
import type { SimulationRecord } from './record.ts';

const minute = 60_000;
const width = 1_200;
const left = 70;
const right = 20;
const panelHeight = 230;
const gap = 70;
const top = 60;
const plotWidth = width - left - right;
const height = top + 2 * panelHeight + gap + 60;

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
  const load: Panel = { y: top, label: 'calls to the CA, a second', max: rate * 1.15, step: stepFor(rate) };
  const expiry: Panel = {
    y: top + panelHeight + gap,
    label: 'soonest expiry of any certificate in use, hours',
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
    text(left, 26, title, 'font-size="16" font-weight="bold"'),
    legend(),
    ...[load, expiry].flatMap((panel) => [...shades(plan, panel, x), ...axes(panel, days, x)]),
    line(
      [left, left + plotWidth].map((at) => [at, heightOf(load, rate)] as const),
      '#b02a2a',
      1,
      '6 4',
    ),
    text(
      left + plotWidth - 4,
      heightOf(load, rate) - 5,
      `allowed: ${rate}`,
      'text-anchor="end" fill="#b02a2a"',
    ),
    line(loadLine, '#1f5fa8', 1),
    line(expiryLine, '#1d7a3e', 1.2),
    line(
      [left, left + plotWidth].map((at) => [at, heightOf(expiry, 0)] as const),
      '#b02a2a',
      1,
      '6 4',
    ),
    ...restarts(plan, load, x),
    text(left + plotWidth / 2, height - 14, 'days', 'text-anchor="middle"'),
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
    .map(({ atMs }) => text(x(atMs), y - 5, 'all pods restart', 'text-anchor="middle" font-size="11"'));
}

function axes(panel: Panel, days: number, x: (ms: number) => number): string[] {
  const { y, label, max, step } = panel;
  const parts = [
    text(left, y - 18, label, 'font-weight="bold"'),
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
    parts.push(text(left - 8, at + 4, String(value), 'text-anchor="end"'));
  }
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
    `<rect x="${at}" y="15" width="14" height="14" fill="${fill}"/>`;
  const from = width - right - 230;
  return [
    box(from, '#f3c4c4'),
    text(from + 20, 27, 'CA away'),
    box(from + 110, '#f6e7b0'),
    text(from + 130, 27, 'CA slow'),
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
