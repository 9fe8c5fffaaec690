import { Metadata, status } from '@grpc/grpc-js';

import { rpcErrors } from '../../src/rpc/errors.ts';
import { fromStatus, statusLabel, toStatus } from '../../src/rpc/status.ts';
import type { ReceivedStatus } from '../../src/rpc/status.ts';
import { AppError } from '../../src/runtime/errors.ts';
import type { ErrorKind } from '../../src/runtime/errors.ts';

const kinds: [ErrorKind, status, string][] = [
  ['invalid_argument', status.INVALID_ARGUMENT, 'rpc_invalid_argument'],
  ['deadline_exceeded', status.DEADLINE_EXCEEDED, 'rpc_deadline_exceeded'],
  ['not_found', status.NOT_FOUND, 'rpc_not_found'],
  ['permission_denied', status.PERMISSION_DENIED, 'rpc_permission_denied'],
  ['resource_exhausted', status.RESOURCE_EXHAUSTED, 'rpc_resource_exhausted'],
  ['failed_precondition', status.FAILED_PRECONDITION, 'rpc_failed_precondition'],
  ['internal', status.INTERNAL, 'rpc_internal'],
  ['unavailable', status.UNAVAILABLE, 'rpc_unavailable'],
  ['unauthenticated', status.UNAUTHENTICATED, 'rpc_unauthenticated'],
  ['cancelled', status.CANCELLED, 'rpc_cancelled'],
];

function received(code: number, details: string, metadata = new Metadata()): ReceivedStatus {
  return { code, details, metadata };
}

describe('the status of an error', () => {
  it.each(kinds)('of kind %s crosses the wire and keeps its kind', (kind, code, remoteCode) => {
    const sent = toStatus(new AppError('some_code', kind, 'what was wrong'));
    expect(sent).toEqual({ code, details: 'what was wrong' });
    expect(fromStatus(received(sent.code, sent.details))).toMatchObject({
      code: remoteCode,
      kind,
      message: 'what was wrong',
      retryAfterMs: undefined,
    });
  });

  it('carries when to come back as a RetryInfo that any gRPC client can read', () => {
    const sent = toStatus(rpcErrors.error('rpc_unavailable', 'm', { retryAfterMs: 2500 }));
    const trailer = sent.metadata?.get('grpc-status-details-bin')[0];
    // Status { code 1: 14, message 2: "m", details 3: Any { type_url 1, value 2: RetryInfo { retry_delay 1 { 2 s, 500000000 ns } } } }
    const any = `0a28${Buffer.from('type.googleapis.com/google.rpc.RetryInfo').toString('hex')}120a0a0808021080cab5ee01`;
    expect((trailer as Buffer).toString('hex')).toBe(`080e12016d1a36${any}`);
    expect(fromStatus(received(sent.code, sent.details, sent.metadata)).retryAfterMs).toBe(2500);
  });

  it('hides what is not ours', () => {
    expect(toStatus(new Error('secret'))).toEqual({
      code: status.INTERNAL,
      details: 'internal error; see the log of the server',
    });
    expect(toStatus('secret').details).not.toContain('secret');
  });

  it('is unknown for a number nobody knows, and has a message in any case', () => {
    expect(fromStatus(received(99, ''))).toMatchObject({
      code: 'rpc_unknown',
      message: 'the other side answered Unknown',
    });
  });

  it.each(['nonsense', Buffer.from('ff', 'hex'), Buffer.from('1a020a01', 'hex')])(
    'ignores advice it cannot read (%p)',
    (trailer) => {
      const metadata = new Metadata();
      metadata.set('grpc-status-details-bin', Buffer.from(trailer as string));
      expect(fromStatus(received(status.UNAVAILABLE, 'away', metadata)).retryAfterMs).toBeUndefined();
    },
  );

  it('has the name that dashboards know', () => {
    expect([status.OK, status.CANCELLED, status.FAILED_PRECONDITION].map(statusLabel)).toEqual([
      'OK',
      'Canceled',
      'FailedPrecondition',
    ]);
  });
});
