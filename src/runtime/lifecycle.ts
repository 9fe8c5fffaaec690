import { constants } from 'node:os';
import { systemClock, type Clock } from './clock.ts';
import { Closers, type Close } from './closers.ts';
import { ConfigError, problemLine, type Environment } from './env.ts';
import { createLog, type ProcessLog } from './log.ts';
import { LogOutput, type LogDestination } from './log-output.ts';
import { declareLostRecords, tellLostRecords } from './lost-records.ts';
import { Metrics } from './metrics.ts';
import { declareProcessMetrics } from './process-metrics.ts';
import { Readiness } from './readiness.ts';

/**
 * How a process of ours ends. A signal asks for a drain, which ends with `ok` also when it had to be cut at its
 * deadline (a log line says so); a second signal ends it at once with 128 + its number, as a shell tells a kill.
 */
export const exitCodes = { ok: 0, failure: 1, badConfiguration: 64 } as const;

/** Holds until `setGracePeriod`; shorter than the 30 seconds Kubernetes waits before it kills. */
const defaultGracePeriodMs = 25_000;

const signals = ['SIGTERM', 'SIGINT'] as const;

/** What a process is given by `runProcess`. */
export interface ProcessContext {
  readonly env: Environment;
  readonly log: ProcessLog;
  /** Where `log` writes, for logs beside it. */
  readonly logOutput: LogDestination;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  readonly clock: Clock;
  /** Aborted by the first SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
  /** Closed after the signal, the last one registered first. */
  readonly onClose: (name: string, close: Close) => void;
  /** How long closing may take in all. */
  readonly setGracePeriod: (ms: number) => void;
}

/**
 * Runs a process from its start to its end; the only place that ends one. `main` resolves when everything has
 * been started (that is the gate `start` of the readiness), and what it started goes on until a signal.
 */
export async function runProcess(
  name: string,
  main: (context: ProcessContext) => Promise<void>,
): Promise<void> {
  const logOutput = new LogOutput();
  const log = createLog({ name, destination: logOutput });
  const closers = new Closers(log);
  const readiness = new Readiness();
  const metrics = new Metrics();
  declareProcessMetrics(metrics);
  declareLostRecords(metrics, () => logOutput.lost);
  tellLostRecords(logOutput, log, readiness);
  const stop = stopOnSignals(log);
  endOnBugs(log, stop);
  let gracePeriodMs = defaultGracePeriodMs;
  const start = readiness.gate('start');
  const started = main({
    env: process.env,
    log,
    logOutput,
    metrics,
    readiness,
    clock: systemClock,
    signal: stop,
    onClose: (part, close) => closers.add(part, close),
    setGracePeriod: (ms) => {
      gracePeriodMs = ms;
    },
  });
  const code = await runUntil(stop, started, log, () => start.open());
  start.close('the process is ending');
  // What could not start has nothing to drain.
  await drain(closers, log, code === exitCodes.ok ? gracePeriodMs : 0);
  process.exit(code);
}

/** Resolves with the exit code when the signal has come or the start has failed. */
async function runUntil(
  stop: AbortSignal,
  started: Promise<void>,
  log: ProcessLog,
  onStarted: () => void,
): Promise<number> {
  // Nothing else need keep the event loop alive: a process ends when it is told to.
  const alive = setInterval(() => undefined, 2 ** 30);
  const stopped = new Promise<'stopped'>((resolve) => {
    stop.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  try {
    if ((await Promise.race([started, stopped])) !== 'stopped') {
      onStarted();
      log.info({ node: process.version }, 'started');
      await stopped;
    }
    return exitCodes.ok;
  } catch (error) {
    // A start that the signal cut short fails for no other reason than that.
    return stop.aborted ? exitCodes.ok : tellFailedStart(error, log);
  } finally {
    clearInterval(alive);
    started.catch((error: unknown) => log.debug({ error }, 'start cut short'));
  }
}

function tellFailedStart(error: unknown, log: ProcessLog): number {
  if (!(error instanceof ConfigError)) {
    log.error({ error }, 'start failed');
    return exitCodes.failure;
  }
  for (const problem of error.problems) process.stderr.write(`${problemLine(problem)}\n`);
  return exitCodes.badConfiguration;
}

async function drain(closers: Closers, log: ProcessLog, gracePeriodMs: number): Promise<void> {
  const deadline = new AbortController();
  const timer = systemClock.after(gracePeriodMs, () => deadline.abort());
  const unfinished = await closers.closeAll(deadline.signal);
  timer.cancel();
  if (unfinished.length > 0)
    log.warn({ unfinished, gracePeriodMs }, 'grace period over, ending with work open');
  else log.info({}, 'ended');
}

function stopOnSignals(log: ProcessLog): AbortSignal {
  const stop = new AbortController();
  for (const signal of signals) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(128 + constants.signals[signal]);
      log.info({ signal }, 'ending');
      stop.abort();
    });
  }
  return stop.signal;
}

/**
 * After an error that nobody expected nothing in this process can be relied on. Work in the background that ends
 * with the reason of the signal only does as it was told.
 */
function endOnBugs(log: ProcessLog, stop: AbortSignal): void {
  const end = (error: unknown): void => {
    if (stop.aborted && error === stop.reason) return;
    log.error({ error, stack: Error.isError(error) ? error.stack : undefined }, 'unexpected error');
    process.exit(exitCodes.failure);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
