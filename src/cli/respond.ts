import { Option } from 'commander';
import { errorCode, errorMessage, isAppError } from '../runtime/errors.ts';
import { ConfigError } from '../runtime/env.ts';
import type { Answer, OutputFormat } from './answer.ts';
import { cliErrors } from './errors.ts';
import { paint } from './table.ts';

/** Exit codes of every command (docs/cli.md). The processes use the same 64 for wrong settings. */
export const EXIT = { ok: 0, failed: 1, warned: 2, usage: 64 } as const;

/** Runs a command, shows its answer in the format wanted, and sets the exit code. */
export type Respond = (format: OutputFormat, command: () => Promise<Answer>) => Promise<void>;

export interface Streams {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

/** Answers go to stdout; why there is none goes to stderr, and for programs to stdout as well: `{"error": {code, message}}`. */
export function responder({ stdout, stderr }: Streams, exit: (code: number) => void): Respond {
  return async (format, command) => {
    try {
      const answer = await command();
      stdout.write(format === 'json' ? asJson(answer.json) : answer.text(paint(stdout)));
      exit(answer.code ?? (answer.ok ? EXIT.ok : EXIT.failed));
    } catch (thrown) {
      const error = thrown instanceof ConfigError ? settingsError(thrown) : thrown;
      const message = errorMessage(error);
      if (format === 'json')
        stdout.write(asJson({ error: { code: errorCode(error) ?? 'internal', message } }));
      stderr.write(`${paint(stderr).bad('kedge:')} ${message}\n`);
      // Only a fault of our own is worth a stack.
      if (!isAppError(error) && Error.isError(error) && error.stack !== undefined)
        stderr.write(`${error.stack}\n`);
      exit(thrown instanceof ConfigError ? EXIT.usage : EXIT.failed);
    }
  };
}

/** Every problem on a line of its own. */
function settingsError({ message }: ConfigError): Error {
  return cliErrors.error('settings_invalid', message);
}

/** `-o json|text`, the same on every command. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'how the answer is written')
    .choices(['text', 'json'])
    .default('text');
}

function asJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
