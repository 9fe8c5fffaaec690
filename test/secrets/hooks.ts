import type { KeyObject } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { errorCode } from '../../src/runtime/errors.ts';
import type { RunRecord } from './run-record.ts';

type Call = (this: unknown, ...args: never[]) => unknown;
type Functions = Record<string, Call>;

/** Where a function of Node is kept while another stands in its place: each test file puts its own there. */
const original = (name: string): symbol => Symbol.for(`kedge.original.${name}`);

function replace(holder: object, name: string, make: (real: Call) => Call): void {
  const functions = holder as Functions & Record<symbol, Call>;
  const kept = original(name);
  const real = functions[kept] ?? functions[name];
  if (real === undefined) throw new TypeError(`expected a function ${name}`);
  Object.defineProperty(functions, kept, { value: real, configurable: true, writable: true });
  functions[name] = make(real);
}

/** Every private key that Node makes or reads in this process is remembered. */
export function watchKeys(record: RunRecord): void {
  const crypto = process.getBuiltinModule('node:crypto');
  const note = (key: KeyObject | undefined): void => {
    if (key?.type !== 'private') return;
    const d = privatePart(key);
    if (d !== undefined) record.secret('a private key', Buffer.from(d, 'base64url'));
  };
  replace(
    crypto,
    'generateKeyPairSync',
    (real) =>
      function (this: unknown, ...args) {
        const pair = real.apply(this, args) as { readonly privateKey?: KeyObject };
        if (typeof pair.privateKey === 'object') note(pair.privateKey);
        return pair;
      },
  );
  replace(
    crypto,
    'createPrivateKey',
    (real) =>
      function (this: unknown, ...args) {
        const key = real.apply(this, args) as KeyObject;
        note(key);
        return key;
      },
  );
}

/** None where there is no such form: of kinds of keys and curves that nobody may use. */
function privatePart(key: KeyObject): string | undefined {
  try {
    return key.export({ format: 'jwk' }).d;
  } catch (error) {
    if (/^ERR_CRYPTO_JWK_UNSUPPORTED_/.test(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** What an admin server of this process answers: metrics and states. Other servers answer with what is meant to be secret. */
export function watchAnswers(record: RunRecord): void {
  const { ServerResponse: Response } = process.getBuiltinModule('node:http');
  replace(
    Response.prototype,
    'end',
    (real) =>
      function (this: unknown, ...args) {
        const [chunk] = args as unknown[];
        if (typeof chunk === 'string' && isPlainText(this as Answer)) record.output(chunk);
        return real.apply(this, args);
      },
  );
}

/** `_header` is what was sent already. */
type Answer = ServerResponse & { readonly _header?: string | null };

function isPlainText(answer: Answer): boolean {
  const type = answer.getHeader('content-type') ?? /^content-type: (.*)$/im.exec(answer._header ?? '')?.[1];
  return String(type).startsWith('text/plain');
}

/** Node programs that are started from here are watched too, whoever gets their output. */
export function watchChildren({ directory }: RunRecord): void {
  const children = process.getBuiltinModule('node:child_process');
  const hook = new URL('./watch-child.ts', import.meta.url);
  hook.searchParams.set('run', directory);
  for (const name of ['spawn', 'spawnSync', 'execFile', 'execFileSync']) {
    replace(
      children,
      name,
      (real) =>
        function (this: unknown, ...args) {
          const [file, words, ...rest] = args as unknown[];
          if (file !== process.execPath || !Array.isArray(words)) return real.apply(this, args);
          const watched = ['--import', hook.href, ...(words as unknown[])];
          return real.apply(this, [file, watched, ...rest] as never[]);
        },
    );
  }
}

/** What this process writes to its standard output and error output. */
export function watchOutput(record: RunRecord): void {
  for (const stream of [process.stdout, process.stderr]) {
    replace(
      stream,
      'write',
      (real) =>
        function (this: unknown, ...args) {
          note(args[0]);
          return real.apply(this, args);
        },
    );
  }
  replace(
    process.getBuiltinModule('node:fs'),
    'writeSync',
    (real) =>
      function (this: unknown, ...args) {
        const [fd, content] = args as unknown[];
        if (fd === 1 || fd === 2) note(content);
        return real.apply(this, args);
      },
  );
  function note(content: unknown): void {
    if (typeof content === 'string') record.output(content);
    else if (content instanceof Uint8Array) record.output(Buffer.from(content).toString());
  }
}

/** The message of every error that is made, whether or not somebody ever shows it. */
export function watchErrors(record: RunRecord): void {
  for (const name of ['Error', 'TypeError', 'RangeError'] as const) {
    const construct = (target: ErrorConstructor, args: unknown[], made: new () => Error): Error => {
      const error = Reflect.construct(target, args, made) as Error;
      record.output(error.message);
      // Errors begin where they were made, not here.
      Error.captureStackTrace(error, construct);
      return error;
    };
    globalThis[name] = new Proxy(globalThis[name], { construct: construct as never });
  }
}
