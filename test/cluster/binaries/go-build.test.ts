import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { exampleBuild } from './example-build.ts';
import type { GoBuild } from './go-build.ts';
import { buildGo } from './go-build.ts';

/** A Go client that is a shell script: it notes each of its calls, and builds what `body` writes to `$target`. */
class FakeGo implements Disposable {
  readonly #directory = new TemporaryDirectory();
  readonly lines: string[] = [];
  readonly progress = {
    line: (text: string) => this.lines.push(text),
    begin: () => undefined,
    step: () => undefined,
    end: () => undefined,
  };

  constructor(body: string) {
    const calls = this.#directory.file('calls');
    this.#directory.write({
      go: `#!/bin/sh
echo "$1" >> ${calls}
[ "$1" = build ] || exit 0
while [ "$1" != -o ]; do shift; done
target=$2
${body}
`,
    });
    chmodSync(this.#directory.file('go'), 0o755);
  }

  get path(): string {
    return `${this.#directory.path}:/usr/bin:/bin`;
  }

  get calls(): string[] {
    return readFileSync(this.#directory.file('calls'), 'utf8').trim().split('\n');
  }

  get directory(): string {
    return this.#directory.file('programs');
  }

  get build(): GoBuild {
    return exampleBuild(this.directory);
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
  }
}

const whole = 'echo whole > $target; chmod +x $target';
const ownPath = process.env['PATH'];

describe('building Go programs', () => {
  afterEach(() => {
    process.env['PATH'] = ownPath;
  });

  it('builds a program once', async () => {
    using go = new FakeGo(whole);
    process.env['PATH'] = go.path;
    await buildGo(go.build, go.progress);
    await buildGo(go.build, go.progress);
    expect(go.calls).toEqual(['mod', 'build']);
    expect(readdirSync(go.directory)).toEqual(['example']);
  });

  it('lets one of two builders wait for the other and find its work done', async () => {
    using go = new FakeGo(whole);
    process.env['PATH'] = go.path;
    await Promise.all([buildGo(go.build, go.progress), buildGo(go.build, go.progress)]);
    expect(go.calls).toEqual(['mod', 'build']);
    expect(go.lines).toEqual([`Example 1: process ${process.pid} is building it, waiting`]);
  });

  it('shows the words of the Go client when it fails, and leaves nothing behind', async () => {
    using go = new FakeGo('echo half > $target; echo no space left >&2; exit 1');
    process.env['PATH'] = go.path;
    await expect(buildGo(go.build, go.progress)).rejects.toThrow(
      /expected go build to succeed.*\nno space left/s,
    );
    expect(readdirSync(go.directory)).toEqual([]);
  });

  it('leaves no half program when it is killed, and the next one builds it', async () => {
    using go = new FakeGo(`
if mkdir \${0%/*}/begun 2>/dev/null; then
  echo half > $target
  while kill -0 $PPID 2>/dev/null; do sleep 0.05; done
  exit 1
fi
${whole}`);
    const builder = spawn(
      process.execPath,
      [path.join(import.meta.dirname, 'build-example.ts'), go.directory],
      {
        env: { PATH: go.path },
        stdio: 'ignore',
      },
    );
    await eventually(() => {
      if (!existsSync(path.join(go.directory, '..', 'begun'))) throw new Error('expected it to build');
    });
    builder.kill('SIGKILL');
    await once(builder, 'exit');
    expect(existsSync(path.join(go.directory, 'example'))).toBe(false);
    process.env['PATH'] = go.path;
    await buildGo(go.build, go.progress);
    expect(readFileSync(path.join(go.directory, 'example'), 'utf8')).toBe('whole\n');
    expect(readdirSync(go.directory)).toEqual(['example']);
  });
});
