import { TAG, context } from '../../src/pki/der.ts';
import { bitString, oid, sequence, setOf, smallInteger, text, tlv } from '../../src/pki/der-writer.ts';
import { encodeName } from '../../src/pki/distinguished-name.ts';
import { OID } from '../../src/pki/oids.ts';
import { PublicKey } from '../../src/pki/public-key.ts';
import { noteSecret } from '../secrets/run-record.ts';
import type { KeyPair, TestKeyType, TestSignature } from './certificate-builder.ts';
import {
  basicConstraints,
  generalName,
  signatureOf,
  subjectAltName,
  testKeyPair,
} from './certificate-builder.ts';

/** A signing request to build; nothing is checked, so every hostile one can be made. Defaults make an honest one. */
export interface TestCsrOptions {
  readonly keyType?: TestKeyType;
  /** Signed with this pair's private key, carrying its public key. */
  readonly keyPair?: KeyPair;
  /** Carries this public key while another pair signs: a request for somebody else's key. */
  readonly carriedKey?: KeyPair;
  readonly commonName?: string;
  /** Whole subject in DER, in place of the common name. */
  readonly subject?: Buffer;
  readonly dnsNames?: readonly string[];
  readonly uris?: readonly string[];
  readonly ips?: readonly (readonly number[])[];
  readonly emails?: readonly string[];
  /** Further GeneralNames as they are. */
  readonly names?: readonly Buffer[];
  /** Asks for basic constraints with CA:TRUE. */
  readonly ca?: boolean;
  /** Whole extensions to ask for besides the names. */
  readonly extensions?: readonly Buffer[];
  /** Whole attributes besides the extension request. */
  readonly attributes?: readonly Buffer[];
  /** `false` leaves the extension request out. */
  readonly extensionRequest?: boolean;
  /** How to sign; `garbage` makes a signature of random bytes. */
  readonly signature?: TestSignature;
  /** Changes the signed part after it was signed. */
  readonly tampered?: boolean;
  /** Bytes behind the request. */
  readonly trailing?: Buffer;
  readonly version?: number;
}

const DEFAULT_NAME = 'web.shop.serviceaccount.identity.kedge.cluster.local';

/** A request in DER. Without options: P-256, the one DNS name of `TestCa.leaf`, an empty subject. */
export function buildCsr(options: TestCsrOptions = {}): Buffer {
  const keyPair = options.keyPair ?? testKeyPair(options.keyType);
  const way = signatureOf(keyPair.privateKey, options.signature ?? 'auto');
  const info = requestInfo(options, options.carriedKey ?? keyPair);
  const signature = way.sign(info);
  // The last byte under the signature belongs to the attributes: a name, as a rule.
  if (options.tampered === true) info[info.length - 1] = (info.at(-1) ?? 0) ^ 1;
  const request = sequence(info, way.algorithm, bitString(signature));
  noteSecret('a signing request', request);
  return Buffer.concat([request, options.trailing ?? Buffer.alloc(0)]);
}

/** An extension request attribute (RFC 2985 5.4.2) around whole extensions. */
export function extensionRequest(...extensions: Buffer[]): Buffer {
  return sequence(oid(OID.extensionRequest), setOf(sequence(...extensions)));
}

/** The challenge password attribute, the other one found in the wild (RFC 2985 5.4.1). */
export function challengePassword(password: string): Buffer {
  return sequence(oid('1.2.840.113549.1.9.7'), setOf(text(TAG.utf8String, password)));
}

function requestInfo(options: TestCsrOptions, carried: KeyPair): Buffer {
  const names = [
    ...(options.dnsNames ?? [DEFAULT_NAME]).map(generalName.dns),
    ...(options.uris ?? []).map(generalName.uri),
    ...(options.ips ?? []).map((octets) => generalName.ip(...octets)),
    ...(options.emails ?? []).map(generalName.email),
    ...(options.names ?? []),
  ];
  const extensions = [
    ...(names.length === 0 ? [] : [subjectAltName(true, ...names)]),
    ...(options.ca === true ? [basicConstraints(true)] : []),
    ...(options.extensions ?? []),
  ];
  const request =
    options.extensionRequest === false || extensions.length === 0 ? [] : [extensionRequest(...extensions)];
  const attributes = [...request, ...(options.attributes ?? [])].toSorted((a, b) => Buffer.compare(a, b));
  return sequence(
    smallInteger(options.version ?? 0),
    options.subject ?? encodeName(options.commonName),
    PublicKey.of(carried.publicKey).spki,
    tlv(context(0, true), ...attributes),
  );
}
