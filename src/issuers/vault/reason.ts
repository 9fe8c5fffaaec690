/** Longer than any reason that Vault gives of its own, and short enough for a log. */
const maxReasonLength = 400;

/** What a server could hand back of what it was sent: PEM blocks, long runs of base64 (no DNS label is as long), tokens. */
const handedBack =
  /-----BEGIN [^]*?(?:-----END [A-Z ]*-----|$)|[\w+/=-]{64,}|\beyJ[\w.-]+|\b(?:hv)?[sbr]\.[\w-]{20,}/g;

/** Control, format and separator characters, lone surrogates. */
const unseen = /[\p{C}\p{Zl}\p{Zp}\s]+/gu;

/** The reasons in an error answer of the Vault API (`{"errors": [...]}`) on one line; undefined where there is none. */
export function reasonOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('errors' in body) || !Array.isArray(body.errors)) return;
  return shownText(body.errors.filter((each): each is string => typeof each === 'string').join('; '));
}

/** A text of the server as it may be shown; undefined where nothing is left of it. */
export function shownText(foreign: string): string | undefined {
  const text = foreign.replace(handedBack, '[left out]').replace(unseen, ' ').trim();
  if (text === '') return undefined;
  return text.length > maxReasonLength ? `${text.slice(0, maxReasonLength)}...` : text;
}
