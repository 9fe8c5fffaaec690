import fc from 'fast-check';
import { createLog } from '../../src/runtime/log.ts';
import { loggable } from '../../src/runtime/loggable.ts';
import { LogCapture } from '../support/log-capture.ts';

describe('a log', () => {
  it('writes one JSON object a line with the process, the level, the fields and the message', () => {
    const lines: string[] = [];
    const log = createLog({ name: 'identity', destination: { write: (line) => lines.push(line) } });
    log.info({ serial: '0a' }, 'certificate issued');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      process: 'identity',
      serial: '0a',
      message: 'certificate issued',
    });
    expect(lines[0]!.endsWith('}\n')).toBe(true);
  });

  it('keeps quiet below its level, also in children made before the level was set', () => {
    const lines: string[] = [];
    const log = createLog({ name: 'x', level: 'warn', destination: { write: (line) => lines.push(line) } });
    const child = log.child({ part: 'a' });
    child.info({}, 'unheard');
    log.setLevel('debug');
    child.debug({}, 'heard');
    expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual(['heard']);
  });

  it('adds the fields of a child to each of its records, redacted', () => {
    const log = new LogCapture();
    log.child({ peer: '10.0.0.1', token: 'abc' }).warn({ code: 'x' }, 'refused');
    expect(log.records).toEqual([
      { level: 'warn', message: 'refused', fields: { peer: '10.0.0.1', token: '[redacted]', code: 'x' } },
    ]);
  });

  it('writes a field whose name is one of its own beside it, not in its place', () => {
    const log = new LogCapture();
    log.info({ message: 'forged', level: 'error' }, 'real');
    expect(log.records).toEqual([
      { level: 'info', message: 'real', fields: { message_: 'forged', level_: 'error' } },
    ]);
  });
});

describe('redaction', () => {
  it.each([
    'token',
    'Token',
    'TOKEN',
    'accessToken',
    'access_token',
    'tokens',
    'key',
    'privateKey',
    'private_key',
    'PRIVATE-KEY',
    'csr',
    'password',
    'authorization',
    'Authorization',
    'clientSecret',
    'privatekey',
    'apiKey',
    'apikey',
    'jwt',
    'bearer',
    'credential',
    'passwd',
  ])('cuts out the field %s at any depth', (name) => {
    const shown = JSON.stringify(loggable({ [name]: 's3cr3t', a: [{ b: { [name]: { deep: 's3cr3t' } } }] }));
    expect(shown).not.toContain('s3cr3t');
    expect(shown.match(/\[redacted\]/g)).toHaveLength(2);
  });

  it.each(['tokenFile', 'publicKey', 'public_key', 'keyAlgorithm', 'monkey', 'turkeys', 'secretName'])(
    'shows the field %s',
    (name) => {
      expect(loggable({ [name]: 'shown' })).toEqual({ [name]: 'shown' });
    },
  );

  it('cuts out a private key and a web token within any text, also the message of an error', () => {
    const pem = '-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n-----END EC PRIVATE KEY-----';
    const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln';
    const error = new Error(`bad: ${jwt}`, { cause: new Error(`from ${pem} on`) });
    expect(loggable({ note: `a ${pem} b ${jwt} c`, error })).toEqual({
      note: 'a [redacted] b [redacted] c',
      error: { message: 'bad: [redacted]', causes: ['from [redacted] on'] },
    });
  });

  it('cuts out the password of a URL', () => {
    const url = 'https://user:s3cr3t@ca.test:8200/v1?at=1';
    expect(loggable({ url: new URL(url), text: `GET ${url} failed` })).toEqual({
      url: 'https://user:[redacted]@ca.test:8200/v1?at=1',
      text: 'GET https://user:[redacted]@ca.test:8200/v1?at=1 failed',
    });
  });

  it('cuts out a private key whose end is missing', () => {
    const cut = '-----BEGIN PRIVATE KEY-----\nMHcCAQ';
    expect(loggable({ note: cut })).toEqual({ note: '[redacted]' });
  });
});

describe('the fields of a record', () => {
  it('show an error with its code, its message and the messages of its causes', () => {
    const cause = new Error('connection reset', { cause: 'cable cut' });
    const error = Object.assign(new Error('sign failed', { cause }), { code: 'issuer_unavailable' });
    expect(loggable({ error })).toEqual({
      error: {
        code: 'issuer_unavailable',
        message: 'sign failed',
        causes: ['connection reset', 'cable cut'],
      },
    });
  });

  it('show an error that is its own cause', () => {
    const error = new Error('round');
    error.cause = error;
    expect(loggable({ error })).toMatchObject({ error: { message: 'round' } });
  });

  it('show bytes as their count', () => {
    expect(loggable({ der: Buffer.alloc(12), view: new Uint32Array(2) })).toEqual({
      der: '[12 bytes]',
      view: '[8 bytes]',
    });
  });

  it('show dates, sets, maps, big integers and odd numbers as JSON can hold them', () => {
    expect(
      loggable({
        at: new Date(0),
        set: new Set([1]),
        map: new Map([['a', 1n]]),
        none: NaN,
        fn: () => undefined,
      }),
    ).toEqual({ at: '1970-01-01T00:00:00.000Z', set: [1], map: { a: '1' }, none: 'NaN', fn: '[function]' });
  });

  it('survive cycles, throwing getters, dead dates and revoked proxies', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    const throwing = {
      get value(): never {
        throw new Error('no');
      },
    };
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(loggable({ cyclic, throwing, dead: new Date(NaN), proxy })).toEqual({
      cyclic: { self: '[circular]' },
      throwing: '[unreadable]',
      dead: null,
      proxy: '[unreadable]',
    });
  });

  it('are cut where they are too long, too many or too deep', () => {
    const deep = { a: { b: { c: { d: { e: { f: 1 } } } } } };
    const shown = loggable({ text: 'x'.repeat(10_000), list: Array(200).fill(0), deep });
    expect(shown['text']).toHaveLength(4096 + '... (10000 characters)'.length);
    expect((shown['list'] as unknown[]).at(-1)).toBe('[100 more]');
    expect(JSON.stringify(shown['deep'])).toContain('[too deep]');
  });

  it('never make a call throw, and always make one line of JSON', () => {
    const log = new LogCapture();
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withNullPrototype: true,
          withTypedArray: true,
        }),
        (value) => {
          const before = log.records.length;
          log.info({ value }, 'odd');
          expect(log.records).toHaveLength(before + 1);
        },
      ),
      { numRuns: 300 },
    );
  });
});
