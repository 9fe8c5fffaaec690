import type { DerReader } from './der.ts';
import { TAG, context } from './der.ts';
import { pkiErrors } from './errors.ts';
import { GENERAL_NAME, readAscii } from './general-names.ts';

/** Name constraints of a CA (RFC 5280 4.2.1.10). */
export interface NameConstraints {
  /** Suffixes of which one must match each DNS name below; `undefined` when DNS names are not limited. */
  readonly permittedDns: readonly string[] | undefined;
  readonly excludedDns: readonly string[];
  /** Constraints that cannot be enforced here, by kind: a chain with one is refused. */
  readonly unsupported: readonly string[];
}

const KINDS: Readonly<Record<number, string>> = {
  [GENERAL_NAME.email]: 'email',
  [GENERAL_NAME.directory]: 'directory name',
  [GENERAL_NAME.uri]: 'URI',
  [GENERAL_NAME.ip]: 'IP address',
};

const HOST_LABEL = /^(?!-)[\w-]{1,63}(?<!-)$/;

/** Reads the content of the NameConstraints SEQUENCE. */
export function readNameConstraints(reader: DerReader): NameConstraints {
  if (reader.done) throw pkiErrors.error('der_malformed', `${reader.what}: expected a subtree, got none`);
  const permitted = readSubtrees(reader, 0);
  const excluded = readSubtrees(reader, 1);
  reader.end();
  return {
    permittedDns: permitted.dns.length > 0 ? permitted.dns : undefined,
    excludedDns: excluded.dns,
    unsupported: [...permitted.unsupported, ...excluded.unsupported],
  };
}

/**
 * A host name in letters, digits, `-` and `_`, without wildcard, trailing dot or a number for its last label: what constraints
 * can be applied to, here and in rustls.
 */
export function isDnsName(name: string): boolean {
  if (name.length > 253 || /(^|\.)\d+$/.test(name)) return false;
  return name.split('.').every((label) => HOST_LABEL.test(label));
}

/** True when a DNS name lies in the subtree: equal to it or below it; below it only, when it starts with a dot. */
export function inDnsSubtree(name: string, subtree: string): boolean {
  const [lower, base] = [name.toLowerCase(), subtree.toLowerCase()];
  if (base === '') return true;
  if (base.startsWith('.')) return lower.length > base.length && lower.endsWith(base);
  return lower === base || lower.endsWith(`.${base}`);
}

function readSubtrees(reader: DerReader, number: number): { dns: string[]; unsupported: string[] } {
  const found = { dns: [] as string[], unsupported: [] as string[] };
  const element = reader.optional(context(number, true));
  if (element === undefined) return found;
  const subtrees = reader.into(element, 'subtrees');
  if (subtrees.nextTag === undefined)
    throw pkiErrors.error('der_malformed', 'subtrees: expected at least one, got none');
  while (!subtrees.done) {
    const subtree = subtrees.inside('subtree', TAG.sequence);
    const base = subtree.any();
    // minimum is always its default, 0, and maximum absent (RFC 5280 4.2.1.10): in DER neither is written.
    subtree.end();
    if (base.tag === GENERAL_NAME.dns) takeDns(found, readAscii(base, 'DNS constraint'));
    else found.unsupported.push(KINDS[base.tag] ?? `kind ${base.tag & 0x1f}`);
  }
  return found;
}

/** A subtree is a host name, one with a leading dot, or empty for all names; any other cannot be compared with. */
function takeDns(found: { dns: string[]; unsupported: string[] }, subtree: string): void {
  const wellFormed = subtree === '' || isDnsName(subtree.startsWith('.') ? subtree.slice(1) : subtree);
  if (wellFormed) found.dns.push(subtree);
  else found.unsupported.push(`DNS, but ${JSON.stringify(subtree)}`);
}
