import type { KeyObject } from 'node:crypto';
import { inspect } from 'node:util';
import { errorMessage } from '../../src/runtime/errors.ts';

/** Shorter runs of characters occur by chance. */
const minLength = 12;
/** As long a piece of a secret is as good as the whole. */
const pieceLength = 40;

const startCount = 1 << 22;

/** A place in what was put out where a secret is. */
export interface Leak {
  /** What kind of secret. */
  readonly what: string;
  /** What stands around it, the secret itself left out. */
  readonly where: string;
}

/** Remembers the secrets that a test uses, in every way that they may be written, and looks for them in all that was put out. */
export class SecretWatch {
  readonly #secrets = new Map<string, string>();
  readonly #patterns = new Map<string, RegExp>();
  readonly #outputs: (() => string)[] = [];
  #byHead: ReadonlyMap<string, [form: string, what: string][]> | undefined;
  /** 1 where some secret starts so: most places of a text are passed over by this alone. */
  readonly #starts = new Uint8Array(startCount);

  /** A text such as a token. */
  secret(what: string, text: string): void {
    this.bytes(what, Buffer.from(text));
  }

  /** A secret as bytes, be they those of a text. */
  bytes(what: string, bytes: Buffer): void {
    for (const form of [bytes.toString('latin1'), ...encodingsOf(bytes)]) this.#keep(what, form);
  }

  /** What no secret of a kind is without, for those that a test never gets to see. */
  pattern(what: string, pattern: RegExp): void {
    this.#patterns.set(what, pattern);
  }

  /** A private key: its number, which every way to encode it holds. The rest of it is public. */
  privateKey(key: KeyObject): void {
    const { d } = key.export({ format: 'jwk' });
    if (d === undefined) throw new TypeError('expected a private key');
    this.bytes('a private key', Buffer.from(d, 'base64url'));
  }

  /** A signing request: it says who asked for what, and is no one else's. */
  csr(der: Uint8Array): void {
    this.bytes('a signing request', Buffer.from(der));
  }

  /** Something that is put out: read when it is looked through, so that it may grow until then. */
  output(text: () => string): void {
    this.#outputs.push(text);
  }

  /** An error that somebody sees: its message, and all that is printed of it where nobody takes care. */
  error(error: unknown): void {
    const text = `${errorMessage(error)}\n${inspect(error, { depth: 6, showHidden: false })}`;
    this.#outputs.push(() => text);
  }

  /** How many secrets and outputs there are: a search of nothing in nothing proves nothing. */
  get size(): { readonly secrets: number; readonly outputs: number } {
    return { secrets: this.#secrets.size, outputs: this.#outputs.length };
  }

  /** Every secret that is in any output. */
  leaks(): readonly Leak[] {
    const texts = new Set(this.#outputs.map((output) => output()));
    return [...texts].flatMap((text) => this.leaksIn(text));
  }

  /** Every secret that is in a text. */
  leaksIn(text: string): readonly Leak[] {
    const alike = [...this.#patterns]
      .map(([what, pattern]) => ({ what, text, at: text.search(pattern) }))
      .filter(({ at }) => at >= 0);
    return [...this.#written(unbroken(text)), ...alike].map(({ what, text: where, at }) => ({
      what,
      where: `${where.slice(Math.max(0, at - 60), at)}<${what}>`,
    }));
  }

  /** One pass over a text, whatever the number of secrets. */
  #written(text: string): { what: string; text: string; at: number }[] {
    this.#byHead ??= Map.groupBy(this.#secrets, ([form]) => form.slice(0, minLength));
    const found = [];
    for (let at = 0; at + minLength <= text.length; at += 1) {
      if (this.#starts[startOf(text, at)] === 0) continue;
      const heads = this.#byHead.get(text.slice(at, at + minLength)) ?? [];
      for (const [form, what] of heads) if (text.startsWith(form, at)) found.push({ what, text, at });
    }
    return found;
  }

  /** Whole, and a piece out of its end, which no header shares with others. */
  #keep(what: string, form: string): void {
    if (form.length < minLength) return;
    const piece = form.length > 2 * pieceLength ? form.slice(-pieceLength - 4, -4) : form;
    const kept = unbroken(piece);
    this.#secrets.set(kept, what);
    this.#starts[startOf(kept, 0)] = 1;
    this.#byHead = undefined;
  }
}

/** A number for the first characters at a place. */
function startOf(text: string, at: number): number {
  let start = 0;
  for (let next = at; next < at + 5; next += 1) start = (start * 31 + text.charCodeAt(next)) % startCount;
  return start;
}

/** Without line ends, also those written as escapes or by Node's inspection: PEM breaks what it encodes anywhere. */
function unbroken(text: string): string {
  return text.replace(/\\[nr]|\s/g, '').replaceAll("'+'", '');
}

/** Base64 ends differently for what comes behind; the three phases of it are looked for. */
function encodingsOf(bytes: Buffer): string[] {
  const phases = [0, 1, 2].map((skip) =>
    bytes.subarray(skip).toString('base64').replace(/=+$/, '').slice(0, -2),
  );
  return [
    ...phases,
    bytes.toString('base64url').slice(0, -2),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
  ];
}
