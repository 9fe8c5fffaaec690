import { Backoff } from '../runtime/backoff.ts';
import type { BackoffPolicy } from '../runtime/backoff.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { isAppError } from '../runtime/errors.ts';

/** How long a stream of the control plane may stay silent or live, in ms; undefined is for ever (contract 4.2). */
export interface StreamLimits {
  /** From the call to the first message. A stream that misses it is opened again after the back-off. */
  readonly initialMs: number | undefined;
  /** Between two messages. A quiet stream is opened again at once: the other end may be long gone. */
  readonly idleMs: number | undefined;
  /** From the call on, so that streams spread over new replicas. */
  readonly lifetimeMs: number | undefined;
}

export interface ControlStream<M> {
  /** Opens the stream; aborting the signal ends it. */
  open(signal: AbortSignal): AsyncIterable<M>;
  /** A stream is about to be opened. */
  onOpen?(): void;
  onMessage(message: M): void;
  /** The stream broke and will be opened again; until then what it told is all there is. */
  onBroken?(cause: unknown, delayMs: number): void;
  /** The service refuses this request for good (INVALID_ARGUMENT, FAILED_PRECONDITION). */
  onRefused(cause: unknown): void;
}

export interface ControlStreamOptions {
  /** Waited for before each opening, and counted for no limit: there is no use in asking earlier. */
  readonly ready?: (signal: AbortSignal) => Promise<unknown>;
  readonly limits: StreamLimits;
  readonly backoff: BackoffPolicy;
  /** How the back-off is waited for; by the clock alone unless given. */
  readonly sleep?: Clock['sleep'];
  readonly clock: Clock;
  readonly random?: () => number;
}

const overdue = 'no answer in time';
const spent = 'time to open the stream again';

/**
 * Keeps one stream of the control plane open until `signal` is aborted or the service refuses it for
 * good. Everything else, a proper end included, is answered by opening it again after a back-off, so
 * that a service which answers and ends does not make the proxy spin. Never rejects.
 */
export async function followStream<M>(
  stream: ControlStream<M>,
  options: ControlStreamOptions,
  signal: AbortSignal,
): Promise<void> {
  const { clock, sleep = (ms: number, until?: AbortSignal) => clock.sleep(ms, until) } = options;
  const backoff = new Backoff(options.backoff, options.random);
  for (;;) {
    if (!(await isReady(options, signal))) return;
    stream.onOpen?.();
    const end = await readOnce(stream, options, signal, () => backoff.reset());
    if (signal.aborted) return;
    if (isRefusal(end)) {
      stream.onRefused(end);
      return;
    }
    if (end === spent) continue;
    const delayMs = backoff.next();
    stream.onBroken?.(end, delayMs);
    try {
      await sleep(delayMs, signal);
    } catch {
      return; // sleep fails only when the signal is aborted
    }
  }
}

/** False where the signal was aborted first. */
async function isReady({ ready }: ControlStreamOptions, signal: AbortSignal): Promise<boolean> {
  try {
    await ready?.(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return !signal.aborted;
}

/** Reads one stream to its end and tells why it ended: a limit, an error, or undefined for a proper end. */
async function readOnce<M>(
  stream: ControlStream<M>,
  { limits, clock }: ControlStreamOptions,
  signal: AbortSignal,
  onAlive: () => void,
): Promise<unknown> {
  const call = new AbortController();
  const after = (ms: number | undefined, reason: string): Timer | undefined =>
    ms === undefined ? undefined : clock.after(ms, () => call.abort(reason));
  let silence = after(limits.initialMs, overdue);
  const lifetime = after(limits.lifetimeMs, spent);
  try {
    for await (const message of stream.open(AbortSignal.any([signal, call.signal]))) {
      silence?.cancel();
      silence = after(limits.idleMs, spent);
      onAlive();
      stream.onMessage(message);
    }
    return call.signal.reason;
  } catch (cause) {
    return call.signal.aborted ? call.signal.reason : cause;
  } finally {
    silence?.cancel();
    lifetime?.cancel();
  }
}

function isRefusal(end: unknown): boolean {
  return isAppError(end) && (end.kind === 'invalid_argument' || end.kind === 'failed_precondition');
}
