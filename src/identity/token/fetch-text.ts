import type { Clock } from '../../runtime/clock.ts';
import { withinDeadline } from '../../runtime/deadline.ts';
import { errorMessage, isAppError } from '../../runtime/errors.ts';
import { identityErrors } from '../errors.ts';

export interface FetchLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/**
 * The text behind a URL, within a time and a size. Follows no redirect: the address was configured, and one that
 * the answer names was not.
 *
 * @throws AppError `jwks_unreachable`
 */
export async function fetchText(
  url: URL,
  limits: FetchLimits,
  clock: Clock,
  signal: AbortSignal,
): Promise<string> {
  const late = (): Error => unreachable(url, `an answer within ${limits.timeoutMs} ms`, 'none');
  try {
    return await withinDeadline({ clock, ms: limits.timeoutMs, signal, late }, async (either) => {
      const response = await fetch(url, {
        signal: either,
        redirect: 'manual',
        headers: { accept: 'application/jwk-set+json, application/json' },
      });
      if (response.status === 200) return readBody(response, url, limits.maxBytes);
      // Lets go of the connection.
      await response.body?.cancel();
      throw unreachable(url, 'status 200', `status ${response.status}`);
    });
  } catch (error) {
    signal.throwIfAborted();
    if (isAppError(error)) throw error;
    throw unreachable(url, 'an answer', causeOf(error), error);
  }
}

async function readBody(response: Response, url: URL, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw unreachable(url, `at most ${maxBytes} bytes`, 'more');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** `fetch` hides what went wrong behind "fetch failed". */
function causeOf(error: unknown): string {
  const cause = Error.isError(error) ? error.cause : undefined;
  return errorMessage(cause ?? error);
}

function unreachable(url: URL, expected: string, got: string, cause?: unknown): Error {
  const message = `expected ${expected} from ${url.origin}${url.pathname}, got ${got}`;
  return identityErrors.error('jwks_unreachable', message, { cause });
}
