import { ConfigError, readEnvironment, type Problem } from '../../src/runtime/env.ts';
import { duration, integer, secret, text, url } from '../../src/runtime/settings.ts';

const settings = {
  name: text({ name: 'APP_NAME', help: 'The name.', required: true }),
  workers: integer({ name: 'APP_WORKERS', help: 'How many.', min: 1, max: 8, fallback: '2' }),
  minWait: duration({ name: 'APP_MIN_WAIT', help: 'Shortest wait.', fallback: '1s' }),
  maxWait: duration({ name: 'APP_MAX_WAIT', help: 'Longest wait.', fallback: '10s' }),
  note: text({ name: 'APP_NOTE', help: 'Anything.' }),
};

const problemsOf = (read: () => unknown): readonly Problem[] => {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe('reading the environment', () => {
  it('gives the values under the names of the table, with the fallbacks of what is not set', () => {
    const values = readEnvironment(settings, { APP_NAME: 'a', APP_WORKERS: '8', OTHER: 'x' });
    expect(values).toEqual({ name: 'a', workers: 8, minWait: 1000, maxWait: 10_000, note: undefined });
  });

  it('takes an empty variable for one that is not set', () => {
    expect(readEnvironment(settings, { APP_NAME: 'a', APP_WORKERS: '' }).workers).toBe(2);
    expect(problemsOf(() => readEnvironment(settings, { APP_NAME: '' }))).toEqual([
      { name: 'APP_NAME', expected: 'a text', got: 'nothing' },
    ]);
  });

  it('collects every problem, one line each', () => {
    const read = (): unknown =>
      readEnvironment(settings, {
        APP_WORKERS: '9',
        APP_MIN_WAIT: 'soon',
        APP_MAX_WAIT: '1s\nFORGED: expected',
      });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(
      [
        'APP_NAME: expected a text, got nothing',
        'APP_WORKERS: expected an integer from 1 to 8, got "9"',
        'APP_MIN_WAIT: expected a duration such as "24h0m0s" or "20s", got "soon"',
        'APP_MAX_WAIT: expected a duration such as "24h0m0s" or "20s", got "1s\\nFORGED: expected"',
      ].join('\n'),
    );
  });

  it('shortens a value that is very long', () => {
    const [problem] = problemsOf(() =>
      readEnvironment(settings, { APP_NAME: 'a', APP_WORKERS: '9'.repeat(1e6) }),
    );
    expect(problem?.got).toBe(`"${'9'.repeat(80)}..." (1000000 characters)`);
  });

  it('never shows the value of a secret', () => {
    const failing = {
      ...secret({ name: 'APP_SECRET', help: '' }),
      parse: (value: string): never => {
        throw new Error(`cannot read ${value}`);
      },
    };
    const read = (): unknown => readEnvironment({ failing }, { APP_SECRET: 'hunter2' });
    expect(read).toThrow('APP_SECRET: expected a text, got a value that is not shown');
    expect(read).not.toThrow('hunter2');
  });

  it.each([
    ['https://me:hunter2@keys.test/jwks', '"https://...@keys.test/jwks"'],
    ['https://hunter2@keys.test/jwks?a=b@c', '"https://...@c"'],
    ['https:/me:hunter2@keys.test', '"https:/...@keys.test"'],
    ['https:\\\\me:hunter2@keys.test', '"https:\\\\\\\\...@keys.test"'],
    ['https://me:hunter2/3@keys.test', '"https://...@keys.test"'],
    ['//me:hunter2@keys.test', '"...@keys.test"'],
  ])('shows a URL without the password in it: %s', (text, shown) => {
    const keys = url({ name: 'APP_KEYS', help: '' });
    const [problem] = problemsOf(() => readEnvironment({ keys }, { APP_KEYS: text }));
    expect(problem?.got).toBe(shown);
  });
});

describe('a check', () => {
  const minBelowMax = (
    { minWait, maxWait }: { minWait: number; maxWait: number },
    problem: (name: string, expected: string, got: string) => void,
  ): void => {
    if (minWait > maxWait) problem('APP_MIN_WAIT', 'at most APP_MAX_WAIT', `${minWait} ms`);
  };

  it('adds its problems to those of the single settings', () => {
    const problems = problemsOf(() =>
      readEnvironment(settings, { APP_MIN_WAIT: '20s', APP_WORKERS: 'many' }, minBelowMax),
    );
    expect(problems.map(({ name }) => name)).toEqual(['APP_NAME', 'APP_WORKERS', 'APP_MIN_WAIT']);
    expect(problems.at(-1)).toEqual({
      name: 'APP_MIN_WAIT',
      expected: 'at most APP_MAX_WAIT',
      got: '20000 ms',
    });
  });

  it('is silent where a value it needs has a problem of its own', () => {
    const problems = problemsOf(() =>
      readEnvironment(settings, { APP_NAME: 'a', APP_MIN_WAIT: '20s', APP_MAX_WAIT: 'long' }, minBelowMax),
    );
    expect(problems.map(({ name }) => name)).toEqual(['APP_MAX_WAIT']);
  });

  it('does not stop the checks after it', () => {
    const problems = problemsOf(() =>
      readEnvironment(settings, { APP_NAME: 'a', APP_MAX_WAIT: 'long' }, minBelowMax, (_, problem) =>
        problem('APP_NOTE', 'something', 'nothing'),
      ),
    );
    expect(problems.map(({ name }) => name)).toEqual(['APP_MAX_WAIT', 'APP_NOTE']);
  });

  it('that has a bug fails as itself', () => {
    const broken = (): never => {
      throw new TypeError('bug');
    };
    expect(() => readEnvironment(settings, { APP_NAME: 'a' }, broken)).toThrow('bug');
  });
});
