import assert from 'node:assert/strict';
import fc from 'fast-check';
import { detectTls, maxClientHelloBytes } from '../../../src/proxy/transport/client-hello.ts';
import type { Detected } from '../../../src/proxy/transport/client-hello.ts';
import { someChanges } from '../mutate/change.ts';
import { changeBytes } from '../mutate/change-bytes.ts';
import { clientHello, helloExtension, hostName, u16, vector16 } from '../samples/client-hello.ts';
import { accepted, fuzzTarget } from '../target.ts';
import type { Outcome } from '../target.ts';

interface Input {
  readonly hello: Buffer;
  /** The name that was put in; undefined where the hello was damaged afterwards. */
  readonly serverName: string | undefined;
}

const filler = fc
  .tuple(fc.constantFrom(10, 13, 16, 21, 43, 51, 0x4a4a), fc.oneof(fc.nat(60), fc.constantFrom(1216, 3000)))
  .map(([type, length]) => helloExtension(type, Buffer.alloc(length, type)));

/** What would be a server name, were it not in another extension. */
const decoy = fc
  .oneof(fc.constantFrom(1, 0x00ff, 0x0100, 0x8000, 0xff00), fc.integer({ min: 1, max: 0xffff }))
  .map((type) => helloExtension(type, hostName('decoy.example').subarray(4)));

const honest: fc.Arbitrary<Input> = fc
  .record({
    name: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,60}$/),
    before: fc.array(fc.oneof(filler, decoy), { maxLength: 3 }),
    after: fc.array(filler, { maxLength: 2 }),
    sessionId: fc.uint8Array({ maxLength: 32 }),
    cipherSuites: fc.nat(20),
  })
  .map(({ name, before, after, ...rest }) => {
    const hello = clientHello({ ...rest, extensions: [...before, hostName(name), ...after] });
    return { hello, serverName: hello.length <= maxClientHelloBytes ? name.toLowerCase() : undefined };
  });

const damaged: fc.Arbitrary<Input> = fc
  .tuple(honest, someChanges)
  .map(([{ hello }, changes]) => ({ hello: changes.reduce(changeBytes, hello), serverName: undefined }));

const noise: fc.Arbitrary<Input> = fc
  .tuple(
    fc.constantFrom(Buffer.alloc(0), Buffer.of(22, 3, 1, 0, 90, 1, 0, 0, 86, 3, 3)),
    fc.uint8Array({ maxLength: 100 }),
  )
  .map(([head, rest]) => ({ hello: Buffer.concat([head, rest]), serverName: undefined }));

const seeds = [
  clientHello({ extensions: [hostName('web.shop')] }),
  clientHello({
    sessionId: Buffer.alloc(32, 1),
    extensions: [helloExtension(51, Buffer.alloc(40)), hostName('a')],
  }),
  clientHello({
    extensions: [helloExtension(0, vector16(Buffer.of(7), vector16(), Buffer.of(0), vector16(u16(0x6161))))],
  }),
  Buffer.from('GET / HTTP/1.1\r\n\r\n'),
];

/** One verdict, the same however the bytes come in pieces; the name is the one that was sent. */
export const clientHelloTarget = fuzzTarget<Input>({
  name: 'client-hello',
  file: 'proxy/transport/client-hello.ts',
  inputs: fc.oneof(
    { weight: 3, arbitrary: damaged },
    { weight: 2, arbitrary: honest },
    { weight: 1, arbitrary: noise },
  ),
  check,
  explore: {
    files: ['proxy/transport/client-hello.ts'],
    seeds,
    shape: 'bytes',
    check: (hello) => check({ hello, serverName: undefined }),
  },
});

function check({ hello, serverName }: Input): Outcome {
  const verdict = verdictOf(hello, true);
  assert.ok(verdict !== undefined, 'expected a verdict at the end');
  if (serverName !== undefined) assert.deepEqual(verdict, { kind: 'tls', serverName });
  if (verdict.kind === 'tls') {
    assert.match(verdict.serverName, /^[a-z0-9_.-]{1,255}$/);
    assert.ok(hello.toString('latin1').toLowerCase().includes(verdict.serverName));
  }
  comesInPieces(hello, verdict);
  return verdict.kind === 'tls' ? accepted : 'other';
}

/** Undecided until it is decided, and then decided as it stays; never undecided beyond the limit. */
function comesInPieces(hello: Buffer, verdict: Detected): void {
  let decided: Detected | undefined;
  for (const length of cutsOf(hello)) {
    const now = verdictOf(hello.subarray(0, length), false);
    if (decided !== undefined)
      assert.deepEqual(now, decided, `expected the verdict to stand at ${length} bytes`);
    decided = now;
    if (length >= maxClientHelloBytes) assert.ok(now !== undefined, 'expected a verdict within the limit');
  }
  if (decided !== undefined) assert.deepEqual(decided, verdict);
  else assert.equal(verdict.kind, 'other');
}

/** Every byte of the head and of the end, and some of what lies between. */
function cutsOf({ length }: Buffer): number[] {
  const step = Math.max(1, Math.floor(length / 20));
  return Array.from({ length: length + 1 }, (_, i) => i).filter(
    (at) => at < 14 || at > length - 3 || at % step === 0,
  );
}

function verdictOf(bytes: Buffer, last: boolean): Detected | undefined {
  const taken = detectTls(bytes, last);
  assert.equal(taken?.consumed ?? 0, 0);
  return taken?.value;
}
