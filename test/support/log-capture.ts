import { createLog, type Log, type LogLevel } from '../../src/runtime/log.ts';
import { runRecord } from '../secrets/run-record.ts';

export interface LogRecord {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What every record carries, and no test asks about. */
const standing = new Set(['time', 'process']);

/** A log that keeps what was written, after the redaction and the shaping of the real one. */
export class LogCapture implements Log {
  readonly records: LogRecord[] = [];
  /** Every line as it would have reached standard output. */
  text = '';
  readonly #log = createLog({
    name: 'test',
    level: 'debug',
    destination: { write: (line) => this.#keep(line) },
  });

  debug(fields: object, message: string): void {
    this.#log.debug(fields, message);
  }

  info(fields: object, message: string): void {
    this.#log.info(fields, message);
  }

  warn(fields: object, message: string): void {
    this.#log.warn(fields, message);
  }

  error(fields: object, message: string): void {
    this.#log.error(fields, message);
  }

  child(fields: object): Log {
    return this.#log.child(fields);
  }

  /** The records with this message, oldest first. */
  withMessage(message: string): LogRecord[] {
    return this.records.filter((record) => record.message === message);
  }

  #keep(line: string): void {
    this.text += line;
    runRecord()?.output(line);
    const { level, message, ...rest } = JSON.parse(line) as LogRecord & Record<string, unknown>;
    const fields = Object.fromEntries(Object.entries(rest).filter(([name]) => !standing.has(name)));
    this.records.push({ level, message, fields });
  }
}
