import { pkiErrors } from './errors.ts';

/** One PEM block: the label between the dashes, and the bytes. */
export interface PemBlock {
  readonly label: string;
  readonly der: Buffer;
  /** True for the old encrypted key form, which carries headers before its base64 (RFC 1421 4.6.1.1). */
  readonly encrypted: boolean;
}

/** More text than any bundle or chain has. */
const MAX_PEM_CHARACTERS = 2 * 1024 * 1024;

/** Labels are shown in messages, so they are short. */
const BEGIN = /^-----BEGIN ([A-Z0-9][A-Z0-9 ]{0,63})-----[ \t]*$/;
const END = /^-----END ([A-Z0-9][A-Z0-9 ]{0,63})-----[ \t]*$/;

/**
 * Splits PEM text (RFC 7468) into its blocks. Text between blocks is a comment and skipped, as every tool does; inside a
 * block only canonical base64 is taken. Throws `pem_malformed` for a block that is not closed, not base64, or empty.
 * Text without any block gives an empty list: the caller knows what it wanted.
 */
export function parsePem(text: string): PemBlock[] {
  if (text.length > MAX_PEM_CHARACTERS)
    malformed(`at most ${MAX_PEM_CHARACTERS} characters`, `${text.length}`);
  const blocks: PemBlock[] = [];
  let open: { readonly label: string; readonly lines: string[] } | undefined;
  for (const line of text.split(/\r?\n/)) {
    const begin = BEGIN.exec(line)?.[1];
    if (begin !== undefined) {
      if (open !== undefined) malformed(`an END line of ${open.label}`, 'another BEGIN line');
      open = { label: begin, lines: [] };
      continue;
    }
    const end = END.exec(line)?.[1];
    if (end === undefined) {
      open?.lines.push(line.trim());
      continue;
    }
    if (open?.label !== end) malformed(`an END line after its BEGIN line`, `END ${end}`);
    blocks.push(decodeBlock(open.label, open.lines));
    open = undefined;
  }
  if (open !== undefined) malformed(`an END line of ${open.label}`, 'the end of the text');
  return blocks;
}

/** One PEM block with lines of 64 characters and a newline at its end. */
export function encodePem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function decodeBlock(label: string, lines: readonly string[]): PemBlock {
  const headers = lines.filter((line) => line.includes(':'));
  const encrypted = headers.some((line) => line.startsWith('Proc-Type:') && line.includes('ENCRYPTED'));
  if (headers.length > 0 && !encrypted) malformed(`only base64 inside ${label}`, 'a header');
  if (encrypted) return { label, der: Buffer.alloc(0), encrypted };
  const base64 = lines.join('');
  const der = Buffer.from(base64, 'base64');
  // Node skips what is not base64, so only text that reads back the same was base64.
  if (der.toString('base64') !== base64) malformed(`base64 inside ${label}`, 'something else');
  if (der.length === 0) malformed(`base64 inside ${label}`, 'nothing');
  return { label, der, encrypted };
}

function malformed(expected: string, got: string): never {
  throw pkiErrors.error('pem_malformed', `PEM: expected ${expected}, got ${got}`);
}
