import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const program = path.join(import.meta.dirname, '..', '..', '..', 'src', 'cli', 'main.ts');

/** The real command, and what it wrote so far. */
class Demo {
  readonly child: ChildProcess;
  output = '';

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, [program, 'demo', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child.stdout?.on('data', (part: Buffer) => (this.output += part.toString()));
  }

  async says(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.child.exitCode !== null) throw new Error(`it ended before it said ${text}:\n${this.output}`);
      await new Promise((resolve) => this.child.stdout?.once('data', resolve));
    }
  }

  ended(): Promise<number | null> {
    return new Promise((resolve) => {
      if (this.child.exitCode !== null) resolve(this.child.exitCode);
      else this.child.once('exit', (code) => resolve(code));
    });
  }
}

describe('kedge demo', () => {
  it('ends its processes, removes its files and exits 1 when it is interrupted before all is proved', async () => {
    const demo = new Demo();
    await demo.says('nothing in clear');
    const directory = /in (\/\S+);/.exec(demo.output)?.[1] ?? '';
    expect(existsSync(directory)).toBe(true);
    demo.child.kill('SIGHUP');
    expect(await demo.ended()).toBe(1);
    expect(demo.output).toContain('a signal ended the demo');
    expect(demo.output).toContain('exit code 0 each');
    expect(existsSync(directory)).toBe(false);
  });
});
