import type { DerElement, DerReader } from './der.ts';
import { TAG } from './der.ts';
import { checkSetOrder, readOid } from './der-values.ts';
import { pkiErrors } from './errors.ts';
import type { Extension } from './extensions.ts';
import { readBasicConstraints, readExtensions, readSubjectAltName } from './extensions.ts';
import type { GeneralNames } from './general-names.ts';
import { NO_NAMES } from './general-names.ts';
import { OID } from './oids.ts';

/** What a signing request asks for beyond its key and subject. */
export interface CsrAttributes {
  readonly attributeOids: readonly string[];
  readonly extensionOids: readonly string[];
  readonly sans: GeneralNames;
  readonly asksForCa: boolean;
}

const MAX_ATTRIBUTES = 16;

/**
 * Reads the attributes (RFC 2986 4.1) to the end. Only the extension request is looked into, and in it only the names
 * and the CA flag. Of names that stand twice all are kept, so that hiding one behind another does not work.
 */
export function readCsrAttributes(reader: DerReader): CsrAttributes {
  const elements: DerElement[] = [];
  const attributeOids: string[] = [];
  const extensions: Extension[] = [];
  while (!reader.done) {
    if (elements.length === MAX_ATTRIBUTES) {
      throw pkiErrors.error('der_malformed', `attributes: expected at most ${MAX_ATTRIBUTES}, got more`);
    }
    const element = reader.element(TAG.sequence, 'attribute');
    const attribute = reader.into(element, 'attribute');
    const type = readOid(attribute.element(TAG.oid, 'attribute type'));
    const values = attribute.inside('attribute values', TAG.set);
    attribute.end();
    if (type === OID.extensionRequest) extensions.push(...readRequest(values));
    attributeOids.push(type);
    elements.push(element);
  }
  checkSetOrder(elements);
  return {
    attributeOids,
    extensionOids: extensions.map(({ oid }) => oid),
    sans: allNames(extensions),
    asksForCa: extensions.some(
      ({ oid, value }) => oid === OID.basicConstraints && readBasicConstraints(value).isCa,
    ),
  };
}

/** The extension request has exactly one value (RFC 2985 5.4.2). */
function readRequest(values: DerReader): Extension[] {
  const extensions = readExtensions(values.inside('extension request'));
  values.end();
  return extensions;
}

function allNames(extensions: readonly Extension[]): GeneralNames {
  const found = extensions
    .filter(({ oid }) => oid === OID.subjectAltName)
    .map(({ value }) => readSubjectAltName(value));
  const [first] = found;
  if (first === undefined) return NO_NAMES;
  if (found.length === 1) return first;
  return {
    dnsFirst: first.dnsFirst,
    dns: found.flatMap(({ dns }) => dns),
    uri: found.flatMap(({ uri }) => uri),
    ip: found.flatMap(({ ip }) => ip),
    email: found.flatMap(({ email }) => email),
    other: found.reduce((sum, { other }) => sum + other, 0),
  };
}
