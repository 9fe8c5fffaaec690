import { readFileSync } from 'node:fs';
import { eventually } from '../../src/cli/demo/eventually.ts';
import { scrape, sum } from '../../src/cli/demo/scrape.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { errorMessage } from '../../src/runtime/errors.ts';
import { growthOf, measures } from './growth.ts';
import type { Growth, Measure, Sample } from './growth.ts';
import type { Fleet, Run } from './fleet.ts';
import type { Ledger } from './ledger.ts';
import type { SoakWorld } from './soak-world.ts';

/** What was seen of one process over all its runs. */
export interface ProcessReport {
  readonly name: string;
  readonly runs: number;
  /** Certificates that it got after its first, of all its runs; none for identity, which gives them. */
  readonly renewals: number;
  /** Issuers that it took into use; identity only. */
  readonly issuersTaken: number;
  /** Of its last run; undefined where that is too young to be judged. */
  readonly growth: Readonly<Record<Measure, Growth | undefined>>;
}

interface Seen {
  readonly samples: Sample[];
  renewed: number;
  issuersTaken: number;
}

/** A process that has just started still loads and compiles what it is made of: so long, or this share of all the time. */
const warmUp = { mostMs: 60_000, share: 1 / 12 };

/** Reads again and again what the processes hold and count. */
export class Watch {
  readonly #world: SoakWorld;
  readonly #fleet: Fleet;
  readonly #epochMs: number;
  readonly #seen = new Map<Run, Seen>();

  /** `epochMs` is the date that all other times count from. */
  constructor(world: SoakWorld, fleet: Fleet, epochMs: number) {
    this.#world = world;
    this.#fleet = fleet;
    this.#epochMs = epochMs;
  }

  get runs(): Run[] {
    return this.#fleet.runs.filter(({ child }) => !child.application);
  }

  /** One reading of every process that runs; one that does not answer is read the next time. */
  async look(): Promise<void> {
    await Promise.all(this.runs.filter(({ child }) => child.running).map((run) => this.#lookAt(run)));
  }

  /** Once there is no traffic, a proxy that still holds a connection will hold it for ever. */
  async expectNothingOpen(ledger: Ledger): Promise<void> {
    const proxies = this.runs.filter(
      ({ child, ready }) => ready && child.running && child.name.startsWith('proxy'),
    );
    for (const { child, options } of proxies) {
      const open = async (): Promise<number> =>
        sum(await scrape(options.adminPort ?? 0), 'tcp_open_connections');
      await eventually(async () => (await open()) === 0, {
        clock: systemClock,
        signal: new AbortController().signal,
        what: () => 'no connection to be open after the traffic',
        withinMs: 10_000,
      }).catch((error: unknown) => ledger.fault(child.name, errorMessage(error)));
    }
  }

  /** What was seen of each process, and judged in the second half of the time. */
  report({ fromMs, toMs }: { fromMs: number; toMs: number }): ProcessReport[] {
    const warmUpMs = Math.min(warmUp.mostMs, (toMs - fromMs) * warmUp.share);
    const names = [...new Set(this.runs.map(({ options }) => options.name))];
    return names.map((name) => {
      const runs = this.runs.filter(({ options }) => options.name === name);
      const seen = runs.map((run) => this.#of(run));
      const last = runs.at(-1);
      const span = { fromMs: Math.max((fromMs + toMs) / 2, (last?.startedMs ?? 0) + warmUpMs), toMs };
      const samples = last === undefined ? [] : this.#of(last).samples;
      const judged = (Object.keys(measures) as Measure[]).map(
        (measure) => [measure, growthOf(samples, measure, span)] as const,
      );
      return {
        name,
        runs: runs.length,
        renewals: seen.reduce((total, { renewed }) => total + Math.max(0, renewed - 1), 0),
        issuersTaken: seen.reduce((total, { issuersTaken }) => total + issuersTaken, 0),
        growth: Object.fromEntries(judged) as Record<Measure, Growth | undefined>,
      };
    });
  }

  #of(run: Run): Seen {
    const seen = this.#seen.get(run) ?? { samples: [], renewed: 0, issuersTaken: 0 };
    this.#seen.set(run, seen);
    return seen;
  }

  async #lookAt(run: Run): Promise<void> {
    const seen = this.#of(run);
    const sample = this.#sample(run.child.pid ?? 0);
    if (sample && sample.atMs !== seen.samples.at(-1)?.atMs) seen.samples.push(sample);
    const samples = await scrape(run.options.adminPort ?? 0).catch(() => []);
    // A counter only rises; a reading that failed says nothing.
    seen.renewed = Math.max(
      seen.renewed,
      sum(samples, 'control_identity_cert_refreshes_total', { result: 'ok' }),
    );
    seen.issuersTaken = Math.max(
      seen.issuersTaken,
      sum(samples, 'kedge_issuer_candidates_total', { result: 'taken' }),
    );
  }

  #sample(pid: number): Sample | undefined {
    try {
      const sample = JSON.parse(readFileSync(this.#world.path('memory', `${pid}.json`), 'utf8')) as Sample;
      return { ...sample, atMs: sample.atMs - this.#epochMs };
    } catch {
      return undefined;
    }
  }
}
