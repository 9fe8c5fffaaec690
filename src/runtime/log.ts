import { pino } from 'pino';
import { LogOutput, type LogDestination } from './log-output.ts';
import { loggable } from './loggable.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A constant message says what happened; everything that varies goes into the fields. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A log that adds these fields to each of its records. */
  child(fields: object): Log;
}

/** The log of a process; its level also holds for the children made before it was set. */
export interface ProcessLog extends Log {
  setLevel(level: LogLevel): void;
}

export interface LogOptions {
  /** The process's name, in each record. */
  readonly name: string;
  readonly level?: LogLevel;
  /** Standard output unless given. */
  readonly destination?: LogDestination;
}

/**
 * One JSON object a line: `level`, `time`, `process`, the fields, `message`. Fields pass through `loggable`,
 * so secrets are cut out and no value, however odd, makes a call throw.
 */
export function createLog(options: LogOptions): ProcessLog {
  const sink = pino(
    {
      level: 'debug',
      base: { process: options.name },
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.destination ?? new LogOutput(),
  );
  const threshold = { rank: rankOf(options.level ?? 'info') };
  return {
    ...logTo(sink, threshold),
    setLevel: (level) => {
      threshold.rank = rankOf(level);
    },
  };
}

type Sink = Record<LogLevel, (fields: object, message: string) => void> & { child(fields: object): Sink };

function logTo(sink: Sink, threshold: { readonly rank: number }): Log {
  const writer = (level: LogLevel): ((fields: object, message: string) => void) => {
    const rank = rankOf(level);
    return (fields, message) => {
      if (rank >= threshold.rank) sink[level](recordFields(fields), message);
    };
  };
  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    child: (fields) => logTo(sink.child(recordFields(fields)), threshold),
  };
}

/** What each record says of itself; a field of the same name is told apart by an underscore. */
const standingNames = new Set(['level', 'time', 'process', 'message']);

function recordFields(fields: object): object {
  const plain = loggable(fields);
  if (!Object.keys(plain).some((name) => standingNames.has(name))) return plain;
  return Object.fromEntries(
    Object.entries(plain).map(([name, value]) => [standingNames.has(name) ? `${name}_` : name, value]),
  );
}

function rankOf(level: LogLevel): number {
  return logLevels.indexOf(level);
}
