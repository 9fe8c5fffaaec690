import type { Clock } from '../../runtime/clock.ts';
import { fetchText } from './fetch-text.ts';
import type { KeyDocument } from './polled-keys.ts';

/** A key set is a few kilobytes. */
const limits = { timeoutMs: 5_000, maxBytes: 256 * 1024 };

/** Keys that are published under a URL. */
export function keysAtUrl(url: URL, clock: Clock): KeyDocument {
  return { host: url.host, read: (signal) => fetchText(url, limits, clock, signal) };
}
