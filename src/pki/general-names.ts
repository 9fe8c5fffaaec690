import type { DerElement, DerReader } from './der.ts';
import { context } from './der.ts';
import { pkiErrors } from './errors.ts';

/** Alternative names by kind (RFC 5280 4.2.1.6), each in the order they were written. */
export interface GeneralNames {
  /** Whether a DNS name stands before all others: some take the first name for the identity, be it a URI. */
  readonly dnsFirst: boolean;
  readonly dns: string[];
  readonly uri: string[];
  /** Addresses in text: `10.0.0.1`, `fd00:0:0:0:0:0:0:1`. */
  readonly ip: string[];
  readonly email: string[];
  /** How many there are of kinds that have no place here: directory names, registered IDs, other names. */
  readonly other: number;
}

export const NO_NAMES: GeneralNames = { dnsFirst: false, dns: [], uri: [], ip: [], email: [], other: 0 };

/** Tags of GeneralName that are read; the rest is counted. */
export const GENERAL_NAME = {
  email: context(1, false),
  dns: context(2, false),
  directory: context(4, true),
  uri: context(6, false),
  ip: context(7, false),
} as const;

/** Tags a GeneralName may have: otherName, x400Address, directoryName and ediPartyName are constructed. */
const OTHER_KINDS = new Set([
  context(0, true),
  context(3, true),
  GENERAL_NAME.directory,
  context(5, true),
  context(8, false),
]);

/** Reads GeneralNames to the end. An empty list is refused, as RFC 5280 does. */
export function readGeneralNames(reader: DerReader): GeneralNames {
  const names = {
    dnsFirst: reader.nextTag === GENERAL_NAME.dns,
    dns: [] as string[],
    uri: [] as string[],
    ip: [] as string[],
    email: [] as string[],
    other: 0,
  };
  if (reader.nextTag === undefined)
    throw pkiErrors.error('der_malformed', `${reader.what}: expected at least one name, got none`);
  while (!reader.done) {
    const element = reader.any();
    if (element.tag === GENERAL_NAME.dns) names.dns.push(readAscii(element, 'DNS name'));
    else if (element.tag === GENERAL_NAME.uri) names.uri.push(readAscii(element, 'URI'));
    else if (element.tag === GENERAL_NAME.email) names.email.push(readAscii(element, 'email address'));
    else if (element.tag === GENERAL_NAME.ip) names.ip.push(readAddress(element.content));
    else if (OTHER_KINDS.has(element.tag)) names.other += 1;
    else
      throw pkiErrors.error(
        'der_malformed',
        `${reader.what}: expected a general name, got tag ${element.tag}`,
      );
  }
  return names;
}

const PRINTABLE = /^[\x20-\x7e]*$/;

/** Printable ASCII only: a NUL or a line break in a name has only ever served to deceive someone. */
export function readAscii(element: DerElement, what: string): string {
  const text = element.content.toString('latin1');
  if (!PRINTABLE.test(text)) {
    throw pkiErrors.error('der_malformed', `${what}: expected printable ASCII, got other bytes`);
  }
  return text;
}

function readAddress(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length === 16) {
    return Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16)).join(':');
  }
  throw pkiErrors.error('der_malformed', `IP address: expected 4 or 16 bytes, got ${bytes.length}`);
}
