import { quoted } from './quoted.ts';

/** The variables a process was started with. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One environment variable: its name, what it may hold, and how its text becomes a value. */
export interface Setting<T> {
  readonly name: string;
  /** Completes "expected ...", e.g. `an integer from 1 to 10`. */
  readonly expected: string;
  /** One sentence for docs/configuration.md. */
  readonly help: string;
  /** The text that holds where the variable is not set. */
  readonly fallback: string | undefined;
  readonly required: boolean;
  /** The value is never shown. */
  readonly secret?: boolean;
  /** Throws where the text is not as expected. */
  parse(text: string): T;
}

/** A table of settings; a process's table is one constant, from which docs/configuration.md is made too. */
export type Settings = Readonly<Record<string, Setting<unknown>>>;

/** The values of a table of settings, under the same names. */
export type ValuesOf<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

/** One thing wrong with the environment. */
export interface Problem {
  readonly name: string;
  readonly expected: string;
  readonly got: string;
}

/** The environment cannot be used. Holds every problem, so that one look mends them all; exit code 64. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(problemLine).join('\n'));
    this.problems = problems;
  }
}

/** `NAME: expected ..., got ...` on one line. */
export function problemLine(problem: Problem): string {
  return `${problem.name}: expected ${problem.expected}, got ${problem.got}`;
}

/**
 * A rule over several settings. It calls `problem` with what is wrong, `got` in plain words. A check that reads
 * a value which has a problem of its own ends there, without a word.
 */
export type Check<S extends Settings> = (
  values: ValuesOf<S>,
  problem: (name: string, expected: string, got: string) => void,
) => void;

/**
 * Reads all settings. A variable that is empty counts as not set, since a template leaves it so.
 *
 * @throws ConfigError with all problems, those of the checks included.
 */
export function readEnvironment<S extends Settings>(
  settings: S,
  environment: Environment,
  ...checks: readonly Check<S>[]
): ValuesOf<S> {
  const problems: Problem[] = [];
  const values = new Map<string, unknown>();
  for (const [key, setting] of Object.entries(settings)) {
    const result = readSetting(setting, environment[setting.name]);
    if ('problem' in result) problems.push(result.problem);
    else values.set(key, result.value);
  }
  const guarded = guardedValues<S>(settings, values);
  for (const check of checks) {
    runCheck(() => check(guarded, (name, expected, got) => problems.push({ name, expected, got })));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.fromEntries(values) as ValuesOf<S>;
}

function readSetting(
  setting: Setting<unknown>,
  text: string | undefined,
): { value: unknown } | { problem: Problem } {
  const given = text === '' || text === undefined ? setting.fallback : text;
  const { name, expected } = setting;
  if (given === undefined) {
    return setting.required ? { problem: { name, expected, got: 'nothing' } } : { value: undefined };
  }
  try {
    return { value: setting.parse(given) };
  } catch {
    return { problem: { name, expected, got: setting.secret ? 'a value that is not shown' : shown(given) } };
  }
}

/** A URL is the one plain setting in which people write a password, and the faulty one may be no proper URL. */
function shown(text: string): string {
  return quoted(text.replace(/^(\s*[a-z][a-z0-9+.-]*:[/\\]*)?.*@/is, '$1...@'));
}

/** Thrown by the guard below, to leave a check whose ground is missing. */
const unknowable = Symbol('a value with a problem of its own');

function guardedValues<S extends Settings>(settings: S, values: ReadonlyMap<string, unknown>): ValuesOf<S> {
  const guarded = {};
  for (const key of Object.keys(settings)) {
    Object.defineProperty(guarded, key, {
      enumerable: true,
      get: () => {
        if (values.has(key)) return values.get(key);
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- a signal, caught a few lines below
        throw unknowable;
      },
    });
  }
  return guarded as ValuesOf<S>;
}

function runCheck(check: () => void): void {
  try {
    check();
  } catch (thrown) {
    if (thrown !== unknowable) throw thrown;
  }
}
