import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.ts';

const fixture = fileURLToPath(new URL('lifecycle-fixture.ts', import.meta.url));

interface Line {
  readonly message: string;
  readonly [field: string]: unknown;
}

/** Runs the fixture as a process of its own. */
const run = (program: string) => {
  const child = spawn(process.execPath, [fixture, program], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => (output.stdout += String(data)));
  child.stderr.on('data', (data) => (output.stderr += String(data)));
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const lines = (): Line[] =>
    output.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);
  return {
    output,
    lines,
    messages: () => lines().map(({ message }) => message),
    saying: (message: string) =>
      eventually(() => {
        expect(lines().map((line) => line.message)).toContain(message);
      }),
    signal: (signal: NodeJS.Signals) => child.kill(signal),
    closeOutput: () => child.stdout.destroy(),
    exitCode: async () => (await closed)[0],
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
};

describe('a process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'asked to end by %s closes its parts in reverse and exits 0',
    async (signal) => {
      await using child = run('orderly');
      await child.saying('started');
      child.signal(signal);
      expect(await child.exitCode()).toBe(0);
      expect(child.messages()).toEqual(['starting', 'started', 'ending', 'closing', 'closing', 'ended']);
      const ready = 'not ready\nwaiting: start: the process is ending\n';
      expect(child.lines().filter(({ message }) => message === 'closing')).toMatchObject([
        { name: 'b', aborted: true, ready },
        { name: 'a', aborted: true, ready },
      ]);
      expect(child.output.stderr).toBe('');
    },
  );

  it('is not ready before it has started', async () => {
    await using child = run('orderly');
    await child.saying('starting');
    expect(child.lines()[0]).toMatchObject({ ready: 'not ready\nwaiting: start: not yet\n' });
  });

  it('lets work in the background end with the reason of the signal', async () => {
    await using child = run('background');
    await child.saying('started');
    child.signal('SIGTERM');
    expect(await child.exitCode()).toBe(0);
    expect(child.messages()).toEqual(['started', 'ending', 'closing', 'ended']);
  });

  it('goes on when nobody reads its log any more', async () => {
    await using child = run('orderly');
    await child.saying('started');
    child.closeOutput();
    child.signal('SIGTERM');
    expect(await child.exitCode()).toBe(0);
  });

  it('whose drain takes too long says so and exits 0', async () => {
    await using child = run('stuck');
    await child.saying('started');
    child.signal('SIGTERM');
    expect(await child.exitCode()).toBe(0);
    expect(child.lines().at(-1)).toMatchObject({
      level: 'warn',
      message: 'grace period over, ending with work open',
      unfinished: ['stuck'],
      gracePeriodMs: 20,
    });
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('ends at once on a second signal, %s, with %d', async (signal, code) => {
    await using child = run('patient');
    await child.saying('started');
    child.signal('SIGTERM');
    await child.saying('draining');
    child.signal(signal);
    expect(await child.exitCode()).toBe(code);
  });

  it('with a bad environment exits 64 with one line per problem', async () => {
    await using child = run('bad-configuration');
    expect(await child.exitCode()).toBe(64);
    expect(child.output.stderr).toBe(
      'FIXTURE_NAME: expected a text, got nothing\n' +
        'FIXTURE_COUNT: expected an integer of at least 1, got "no\\nne"\n',
    );
  });

  it('that fails to start says why, closes what it had begun and exits 1', async () => {
    await using child = run('bad-start');
    expect(await child.exitCode()).toBe(1);
    expect(child.lines()[0]).toMatchObject({
      level: 'error',
      message: 'start failed',
      error: { message: 'no such key', causes: ['file missing'] },
    });
    expect(child.messages()).toContain('half closed');
  });

  it.each(['endless-start', 'cut-short'])('asked to end during its start (%s) exits 0', async (program) => {
    await using child = run(program);
    await child.saying('starting');
    child.signal('SIGTERM');
    expect(await child.exitCode()).toBe(0);
    expect(child.messages()).not.toContain('started');
  });

  it.each([
    ['rejecting', 'forgotten'],
    ['throwing', 'unforeseen'],
  ])('with a bug (%s) logs it and exits 1 without a drain', async (program, message) => {
    await using child = run(program);
    expect(await child.exitCode()).toBe(1);
    expect(child.lines().at(-1)).toMatchObject({
      level: 'error',
      message: 'unexpected error',
      error: { message },
      stack: expect.stringContaining('lifecycle-fixture.ts') as string,
    });
    expect(child.messages()).not.toContain('closing');
  });
});
