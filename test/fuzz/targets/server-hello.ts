import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readServerHello } from '../../../src/cli/demo/server-hello.ts';
import { changedBytes } from '../mutate/change-bytes.ts';
import { helloExtension, u16, vector16 } from '../samples/client-hello.ts';
import { accepted, fuzzTarget } from '../target.ts';

const body = Buffer.concat([
  Buffer.of(3, 3),
  Buffer.alloc(32, 7),
  Buffer.of(2, 1, 1),
  u16(0x1301),
  Buffer.of(0),
  vector16(helloExtension(43, u16(0x0304)), helloExtension(51, u16(0x001d), vector16(Buffer.alloc(32)))),
]);
const hello = Buffer.concat([
  Buffer.of(22, 3, 3),
  vector16(Buffer.concat([Buffer.of(2, 0), u16(body.length), body])),
]);

/** The demo's look at a server: names for what was settled, or nothing. */
export const serverHelloTarget = fuzzTarget<Buffer>({
  name: 'server-hello',
  file: 'cli/demo/server-hello.ts',
  inputs: fc.oneof(
    changedBytes(hello),
    fc.constant(hello),
    fc.uint8Array({ maxLength: 90 }).map((rest) => Buffer.concat([hello.subarray(0, 6), rest])),
  ),
  check: (bytes) => {
    const read = readServerHello(bytes);
    if (read === undefined) return 'none';
    for (const name of Object.values(read)) assert.match(String(name), /^(0x[0-9a-f]{4}|[\w .-]+)$/);
    assert.deepEqual(readServerHello(Buffer.concat([bytes, Buffer.of(1, 2, 3)])), read);
    return accepted;
  },
});
