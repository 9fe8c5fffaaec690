import type { Format } from '../../runtime/formats.ts';
import { logLevels } from '../../runtime/log.ts';
import type { LogLevel } from '../../runtime/log.ts';

/** Levels that other proxies know and this one does not. */
const foreignLevels: ReadonlyMap<string, LogLevel> = new Map([
  ['trace', 'debug'],
  ['warning', 'warn'],
  ['off', 'error'],
]);

/** Whose level this proxy goes by, best first; '' is the entry without a module. */
const modules = ['kedge', 'linkerd', ''];

/**
 * A level, or a filter as the contract's proxy takes it (`warn,linkerd=info`). Entries for modules that only that
 * proxy has are passed over, so that one value of the chart serves both.
 */
export const logLevelFormat: Format<LogLevel> = {
  expected: `${logLevels.map((level) => `"${level}"`).join(', ')} or a filter such as "warn,linkerd=info"`,
  parse: (text) => {
    const levels = new Map(text.split(',').map(parseEntry));
    return modules.map((module) => levels.get(module)).find((level) => level !== undefined);
  },
};

function parseEntry(entry: string): [module: string, level: LogLevel | undefined] {
  const at = entry.lastIndexOf('=');
  const level = entry
    .slice(at + 1)
    .trim()
    .toLowerCase();
  return [
    at < 0 ? '' : entry.slice(0, at).trim(),
    logLevels.find((known) => known === level) ?? foreignLevels.get(level),
  ];
}
