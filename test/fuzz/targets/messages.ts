import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { DestinationProfile, Update } from '../../../src/rpc/destination-api.ts';
import { CertifyRequest, CertifyResponse } from '../../../src/rpc/gen/io/linkerd/proxy/identity/identity.ts';
import { Server } from '../../../src/rpc/inbound-policy-api.ts';
import { decode, encode } from '../../../src/rpc/method.ts';
import type { MessageType } from '../../../src/rpc/method.ts';
import { Header } from '../../../src/rpc/transport-header-message.ts';
import { WatchRequest, WatchResponse } from '../../../src/rpc/gen/kedge/trust/v1/trust.ts';
import { field } from '../../support/protobuf-bytes.ts';
import { changedBytes } from '../mutate/change-bytes.ts';
import { readOrRefuse } from '../read-or-refuse.ts';
import { fuzzTarget } from '../target.ts';

const types: Readonly<Record<string, MessageType<unknown>>> = {
  CertifyRequest,
  CertifyResponse,
  Update,
  DestinationProfile,
  Server,
  WatchRequest,
  WatchResponse,
  Header,
};

interface Input {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** Fields within fields, whatever they mean to the type that reads them. */
const nested: fc.Arbitrary<Buffer> = fc.letrec<{ message: Buffer }>((tie) => ({
  message: fc
    .array(
      fc.tuple(
        fc.integer({ min: 1, max: 8 }),
        fc.oneof(
          { depthSize: 'small' },
          fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
          fc.string({ maxLength: 8 }).map((text) => Buffer.from(text)),
          tie('message'),
        ),
      ),
      { maxLength: 4 },
    )
    .map((fields) => Buffer.concat(fields.map(([number, content]) => field(number, content)))),
})).message;

/** What is read of a message is written and read as the same. */
export const messagesTarget = fuzzTarget<Input>({
  name: 'messages',
  file: 'rpc/gen/io/linkerd/proxy/destination/destination.ts',
  inputs: fc.record({
    type: fc.constantFrom(...Object.keys(types)),
    bytes: fc.oneof(
      { weight: 3, arbitrary: nested },
      { weight: 2, arbitrary: nested.chain((bytes) => changedBytes(bytes)) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }) },
    ),
  }),
  check: ({ type: name, bytes }) => {
    const type = types[name]!;
    return readOrRefuse(
      { codes: ['message_malformed'] },
      () => decode(type, bytes),
      (message) => {
        const again = decode(type, encode(type, message));
        assert.ok(isDeepStrictEqual(again, message) || encode(type, again).equals(encode(type, message)));
      },
    );
  },
});
