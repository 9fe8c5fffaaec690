import { quoted } from '../../runtime/quoted.ts';

const maxLength = 300;

/** As long as keys, requests and tokens are, in any of the alphabets that they are written in; no name of a mesh is. */
const opaque = /[A-Za-z0-9+/=_-]{64,}/g;

/** The words of an issuer or approver, which may be anything: made short, on one line, without what may be a secret. */
export function shownText(text: string): string {
  const told = text.slice(0, 4 * maxLength).replace(opaque, '(left out)');
  if (!/^[\x20-\x7e]*$/.test(told)) return quoted(told);
  return told.length <= maxLength ? told : `${told.slice(0, maxLength)}...`;
}
