import { changeBytes } from '../mutate/change-bytes.ts';
import { changeDer } from '../mutate/change-der.ts';
import type { Exploration } from '../target.ts';
import type { Block } from './block-coverage.ts';
import { Random } from './random.ts';

/** Tells what ran since it was last asked. */
export interface BlockCounter {
  take(files: readonly string[]): ReadonlyMap<string, readonly (readonly Block[])[]>;
}

export interface ExploreOptions {
  readonly executions: number;
  readonly seed: number;
  /** Asked before each input; true ends the search. */
  readonly onExecution?: () => boolean;
}

/** An input with which the parser broke its word. */
export interface Finding {
  readonly input: Buffer;
  readonly error: unknown;
}

export interface Explored {
  readonly executions: number;
  /** Blocks of the files that some input reached. */
  readonly blocks: number;
  /** Inputs that reached what none before them had. */
  readonly corpus: number;
  readonly outcomes: ReadonlyMap<string, number>;
  readonly finding: Finding | undefined;
}

/** Asking for the counts costs far more than an input, so it is done for many together; where there is news, for half of them. */
const BATCH = 128;

/** Searches for inputs that reach new blocks, or old ones far more often, by changing those that did. */
export function explore(target: Exploration, counter: BlockCounter, options: ExploreOptions): Explored {
  return new Explorer(target, counter, options).run();
}

class Explorer {
  readonly #target: Exploration;
  readonly #counter: BlockCounter;
  readonly #options: ExploreOptions;
  readonly #random: Random;
  readonly #corpus: Buffer[] = [];
  readonly #seen = new Set<string>();
  readonly #blocks = new Set<string>();
  readonly #outcomes = new Map<string, number>();
  #executions = 0;
  #finding: Finding | undefined;

  constructor(target: Exploration, counter: BlockCounter, options: ExploreOptions) {
    this.#target = target;
    this.#counter = counter;
    this.#options = options;
    this.#random = new Random(options.seed);
  }

  run(): Explored {
    this.#counter.take(this.#target.files);
    this.#tryAll(this.#target.seeds);
    this.#corpus.push(...this.#target.seeds);
    while (!this.#done()) this.#tryAll(Array.from({ length: BATCH }, () => this.#offspring()));
    return {
      executions: this.#executions,
      blocks: this.#blocks.size,
      corpus: this.#corpus.length,
      outcomes: this.#outcomes,
      finding: this.#finding,
    };
  }

  #done(): boolean {
    return this.#finding !== undefined || this.#executions >= this.#options.executions;
  }

  /** Tries these inputs, and keeps those that reach something the ones before did not. */
  #tryAll(inputs: readonly Buffer[]): void {
    for (const input of inputs) this.#execute(input);
    const [first, ...others] = inputs;
    const alone = others.length === 0;
    if (!this.#takeNews(inputs.length, alone) || first === undefined) return;
    if (alone) {
      this.#corpus.push(first);
      return;
    }
    const half = Math.ceil(inputs.length / 2);
    this.#tryAll(inputs.slice(0, half));
    this.#tryAll(inputs.slice(half));
  }

  #execute(input: Buffer): void {
    if (this.#finding !== undefined) return;
    if (this.#options.onExecution?.() === true) this.#executions = this.#options.executions;
    this.#executions += 1;
    try {
      const outcome = this.#target.check(input);
      this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    } catch (error) {
      this.#finding = { input, error };
    }
  }

  /** Whether a block ran that never had, or twice as often for each input as ever; if so, with `remember` no longer. */
  #takeNews(inputs: number, remember: boolean): boolean {
    let news = false;
    for (const [file, functions] of this.#counter.take(this.#target.files)) {
      for (const { start, end, count } of functions.flat()) {
        const place = `${file}:${start}:${end}`;
        const often = `${place}:${Math.floor(Math.log2(Math.max(1, count / inputs)))}`;
        if (count === 0 || this.#seen.has(often)) continue;
        news = true;
        this.#blocks.add(place);
        if (remember) this.#seen.add(often);
      }
    }
    return news;
  }

  /** A child of one input, or of two: some of the one, then some of the other. */
  #offspring(): Buffer {
    const random = this.#random;
    let child = random.pick(this.#corpus);
    if (random.below(8) === 0) {
      const other = random.pick(this.#corpus);
      child = Buffer.concat([
        child.subarray(0, random.below(child.length + 1)),
        other.subarray(random.below(other.length + 1)),
      ]);
    }
    for (let left = 1 + random.below(4); left > 0; left--) {
      const whole = this.#target.shape === 'der' && random.below(3) > 0;
      child = (whole ? changeDer : changeBytes)(child, random.change());
    }
    return child;
  }
}
