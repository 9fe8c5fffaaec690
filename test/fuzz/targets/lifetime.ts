import assert from 'node:assert/strict';
import { formatLength, parseLifetime } from '../../../src/cli/lifetime.ts';
import { textsLike } from '../mutate/texts.ts';
import { accepted, fuzzTarget } from '../target.ts';

const HOUR = 3_600_000;

/** Whole milliseconds, and printed no longer than they are. */
export const lifetimeTarget = fuzzTarget<string>({
  name: 'lifetime',
  file: 'cli/lifetime.ts',
  inputs: textsLike(
    ['10y', '90d', '24h0m0s', '1d12h'],
    ['1', '9', '0', 'y', 'd', 'h', 'm', 's', '.', '-', ' '],
  ),
  check: (text) => {
    const ms = parseLifetime(text);
    if (ms === undefined) return 'refused';
    assert.ok(Number.isSafeInteger(ms) && ms >= 0);
    const said = parseLifetime(formatLength(ms));
    assert.ok(said !== undefined && said <= ms && ms - said < HOUR);
    return accepted;
  },
});
