/** One thing for a thread to do. */
export interface Job {
  readonly target: string;
  /** `cases` draws inputs; `coverage` searches for them by the blocks they reach; `input` tries one. */
  readonly kind: 'cases' | 'coverage' | 'input';
  /** Cases to draw, or inputs to execute. */
  readonly count: number;
  readonly seed: number;
  /** fast-check's path to one case, to try only that. */
  readonly path?: string;
  /** The one input to try, in hex. */
  readonly input?: string;
  readonly endAt?: number;
}

/** What came of it. */
export interface Report {
  readonly job: Job;
  readonly cases: number;
  readonly seconds: number;
  readonly outcomes: ReadonlyMap<string, number>;
  /** Share of the lines of the parser's file that ran; undefined for a search, which counts blocks. */
  readonly lines: number | undefined;
  readonly blocks: number | undefined;
  readonly corpus: number | undefined;
  readonly finding: ReportedFinding | undefined;
}

export interface ReportedFinding {
  readonly what: string;
  /** Its thread may still be busy, and may not let itself be ended. */
  readonly hangs?: true;
  /** The shortest input, as text. */
  readonly input: string;
  /** What to put behind `npm run fuzz --` to see it again. */
  readonly replay: string;
}

/** What a thread is started with; `progress` counts the cases begun, for the one who watches over it. */
export interface WorkerData {
  readonly job: Job;
  readonly progress: Int32Array<SharedArrayBuffer>;
}
