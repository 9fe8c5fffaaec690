import { spawnSync } from 'node:child_process';
import path from 'node:path';

const module = path.join(import.meta.dirname, '..', '..', 'src', 'cli', 'until-interrupted.ts');

/** A process that gets the signal in its midst, and once more while it takes away what it made. */
function endedTwiceBy(signal: NodeJS.Signals): {
  status: number | null;
  signal: string | null;
  stdout: string;
} {
  const program = `
    const { untilInterrupted } = await import(process.argv[1]);
    const alive = setInterval(() => undefined, 1000);
    await untilInterrupted((ended) => new Promise((resolve) => {
      ended.addEventListener('abort', () => {
        // Ends the process right here where nobody listens for it.
        process.kill(process.pid, '${signal}');
        console.log('took away what it made');
        resolve();
      }, { once: true });
      process.kill(process.pid, '${signal}');
    })).catch((error) => console.log(error.code));
    clearInterval(alive);`;
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', program, module], {
    encoding: 'utf8',
  });
  return { status: ran.status, signal: ran.signal, stdout: ran.stdout };
}

describe('a command that takes away what it made', () => {
  // A closed terminal tells its foreground processes, and its shell tells them again.
  it('does so also when a closed terminal tells it twice', () => {
    expect(endedTwiceBy('SIGHUP')).toEqual({
      status: 0,
      signal: null,
      stdout: 'took away what it made\ninterrupted\n',
    });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('ends at once at a second %s', (signal) => {
    expect(endedTwiceBy(signal)).toEqual({ status: null, signal, stdout: '' });
  });
});
