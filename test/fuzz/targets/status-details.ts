import assert from 'node:assert/strict';
import { Metadata } from '@grpc/grpc-js';
import fc from 'fast-check';
import { fromStatus, toStatus } from '../../../src/rpc/status.ts';
import { AppError } from '../../../src/runtime/errors.ts';
import { changedBytes } from '../mutate/change-bytes.ts';
import { accepted, fuzzTarget } from '../target.ts';

const TRAILER = 'grpc-status-details-bin';

interface Input {
  readonly code: number;
  readonly trailer: Buffer;
}

const honest = [0, 250, 5000, 86_400_000].map((retryAfterMs) => {
  const sent = toStatus(new AppError('busy', 'resource_exhausted', 'expected patience', { retryAfterMs }));
  return Buffer.from(sent.metadata?.get(TRAILER)[0] ?? '');
});

/** A status of the other side is always an error of ours; a hint that cannot be read is no hint. */
export const statusDetailsTarget = fuzzTarget<Input>({
  name: 'status-details',
  file: 'rpc/status.ts',
  inputs: fc.record({
    code: fc.integer({ min: -1, max: 20 }),
    trailer: fc.oneof(
      changedBytes(...honest),
      fc.constantFrom(...honest),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    ),
  }),
  check: ({ code, trailer }) => {
    const metadata = new Metadata();
    metadata.set(TRAILER, trailer);
    const { retryAfterMs, kind } = fromStatus({ code, details: '', metadata });
    assert.equal(typeof kind, 'string');
    if (retryAfterMs === undefined) return 'no hint';
    assert.ok(Number.isFinite(retryAfterMs) && retryAfterMs >= 0, `got ${retryAfterMs}`);
    return accepted;
  },
});
