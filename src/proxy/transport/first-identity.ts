import { isDnsName } from '../../runtime/dns-names.ts';

/** One alternative name as Node prints it: values with delimiters in them are JSON strings. */
const name = /(?:^|, )([^:,"]+):("(?:[^"\\]|\\.)*"|[^",]*)/y;

/**
 * The first DNS name or URI among a certificate's alternative names that is one, in the order they were written: the
 * name policies know a peer by (contract 3.1). `text` is what Node prints, `DNS:a.b, URI:spiffe://c/d`.
 */
export function firstIdentity(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  name.lastIndex = 0;
  for (let found = name.exec(text); found !== null; found = name.exec(text)) {
    const [, kind, value = ''] = found;
    if (kind === 'DNS' && isDnsName(value)) return value;
    if (kind === 'URI' && URL.canParse(value)) return value;
  }
  return undefined;
}
