import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeTransportHeader, takeTransportHeader } from '../../../src/proxy/transport/transport-header.ts';
import type { TransportHeader } from '../../../src/proxy/transport/transport-header.ts';
import type { Taken } from '../../../src/proxy/transport/engine.ts';
import { field, varint } from '../../support/protobuf-bytes.ts';
import { someChanges } from '../mutate/change.ts';
import { changeBytes } from '../mutate/change-bytes.ts';
import { readOrRefuse } from '../read-or-refuse.ts';
import { fuzzTarget } from '../target.ts';
import type { Outcome } from '../target.ts';

interface Input {
  readonly bytes: Buffer;
  /** What was written; undefined where the bytes were damaged afterwards. */
  readonly header: TransportHeader | undefined;
}

const headers: fc.Arbitrary<TransportHeader> = fc.record(
  {
    port: fc.integer({ min: 1, max: 65535 }),
    name: fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]{1,9}){0,3}$/),
    sessionProtocol: fc.constantFrom('http/1' as const, 'http/2' as const),
  },
  { requiredKeys: ['port'], noNullPrototype: true },
);

const honest: fc.Arbitrary<Input> = headers.map((header) => ({
  bytes: encodeTransportHeader(header),
  header,
}));
const preface = encodeTransportHeader({ port: 1 }).subarray(0, 23);

const damaged: fc.Arbitrary<Input> = fc
  .tuple(headers, someChanges, fc.boolean())
  .map(([header, changes, behindPreface]) => {
    const bytes = encodeTransportHeader(header);
    const at = behindPreface ? preface.length : 0;
    const changed = changes.reduce(changeBytes, bytes.subarray(at));
    return { bytes: Buffer.concat([bytes.subarray(0, at), changed]), header: undefined };
  });

/** The port as field 1: what no honest client sends stands at the ends of what is allowed, and far beyond. */
const portField = fc
  .oneof(fc.constantFrom(0, 1, 65_535, 65_536, 70_000, 2 ** 31, 2 ** 32 - 1), fc.nat(70_000))
  .map((port) => Buffer.concat([Buffer.of(0x08), varint(port)]));
const nameField = fc.string({ maxLength: 12 }).map((name) => field(2, name));
const kindField = fc
  .constantFrom('0a00', '1200', '1a00', '0a001200', '')
  .map((hex) => field(3, Buffer.from(hex, 'hex')));
const message = fc.oneof(
  fc
    .array(fc.oneof(portField, nameField, kindField), { maxLength: 4 })
    .map((fields) => Buffer.concat(fields)),
  fc.uint8Array({ maxLength: 60 }),
);

/** A message framed rightly: what protobuf makes of it is met every time. */
const framed: fc.Arbitrary<Input> = message.map((content) => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return { bytes: Buffer.concat([preface, length, content]), header: undefined };
});

const payload = Buffer.from('SELECT 1');
const refusals = { codes: ['header_missing', 'header_malformed'] };
const seeds = [
  encodeTransportHeader({ port: 5432 }),
  encodeTransportHeader({ port: 80, name: 'api.shop.svc.cluster.local', sessionProtocol: 'http/2' }),
  encodeTransportHeader({ port: 65535, sessionProtocol: 'http/1' }),
];

/** A header comes back as it was written, at whichever byte it is cut, and what is behind it is left alone. */
export const transportHeaderTarget = fuzzTarget<Input>({
  name: 'transport-header',
  file: 'proxy/transport/transport-header.ts',
  inputs: fc.oneof(
    { weight: 2, arbitrary: damaged },
    { weight: 1, arbitrary: honest },
    { weight: 1, arbitrary: framed },
  ),
  check,
  explore: {
    files: ['proxy/transport/transport-header.ts', 'rpc/gen/transport/l5d/io/header.ts'],
    seeds,
    shape: 'bytes',
    check: (bytes) => check({ bytes, header: undefined }),
  },
});

function check({ bytes, header }: Input): Outcome {
  const whole = Buffer.concat([bytes, payload]);
  return readOrRefuse(
    refusals,
    () => required(takeTransportHeader(whole, true)),
    (taken) => {
      if (header !== undefined) assert.deepEqual(taken, { value: header, consumed: bytes.length });
      const { value, consumed } = taken;
      assert.equal(consumed, preface.length + 4 + whole.readUInt32BE(preface.length));
      assert.ok(value.port >= 1 && value.port <= 65535);
      assert.deepEqual(required(takeTransportHeader(encodeTransportHeader(value), true)).value, value);
      for (let length = 0; length < Math.min(consumed, 200); length++) {
        assert.equal(takeTransportHeader(whole.subarray(0, length), false), undefined);
      }
      assert.deepEqual(takeTransportHeader(whole.subarray(0, consumed), false), taken);
    },
  );
}

/** At the end of the connection there is an answer. */
function required(taken: Taken<TransportHeader> | undefined): Taken<TransportHeader> {
  assert.ok(taken !== undefined, 'expected an answer at the end');
  return taken;
}
