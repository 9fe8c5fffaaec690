import { spawn } from 'node:child_process';

export interface RunOptions {
  /** Given on standard input, which is closed otherwise. */
  readonly input?: string;
  readonly cwd?: string;
  /** Set on top of this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a command to its end and gives what it printed. Throws `COMMAND ended with N: WORDS` when it failed, WORDS being the
 * end of what it said.
 */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let printed = '';
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  // A command that ends before it has read everything says why by how it ends.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input);
  const end = await new Promise<string>((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`could not run ${program}: ${error.message}`)));
    child.on('close', (code, signal) => resolve(String(code ?? signal)));
  });
  if (end === '0') return printed;
  throw new Error(`${command.join(' ')} ended with ${end}: ${(said || printed).trim().slice(-2000)}`);
}
