import { randomBytes, sign } from 'node:crypto';
import type { CaKeyPair } from './ca-key-pair.ts';
import { Certificate } from './certificate.ts';
import { context } from './der.ts';
import {
  bitString,
  boolean,
  namedBits,
  octetString,
  oid,
  sequence,
  smallInteger,
  text,
  time,
  tlv,
  unsignedInteger,
} from './der-writer.ts';
import { encodeName } from './distinguished-name.ts';
import { GENERAL_NAME } from './general-names.ts';
import { OID } from './oids.ts';
import type { PublicKey } from './public-key.ts';
import type { SignatureAlgorithm } from './signature-algorithm.ts';
import { signingAlgorithm } from './signature-algorithm.ts';

/** Everything that goes into a leaf, all of it decided by us: nothing is taken from a request but its key. */
export interface LeafTemplate {
  readonly publicKey: PublicKey;
  readonly dnsName: string;
  readonly uri?: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Octets of randomness in a serial number. */
const SERIAL_BYTES = 16;

const VERSION_3 = tlv(context(0, true), smallInteger(2));
const EMPTY_SUBJECT = encodeName();
const CRITICAL = boolean(true);
const USAGE = Buffer.concat([
  sequence(oid(OID.keyUsage), CRITICAL, octetString(namedBits(0))),
  sequence(oid(OID.extendedKeyUsage), octetString(sequence(oid(OID.serverAuth), oid(OID.clientAuth)))),
]);
const SAN_OID = oid(OID.subjectAltName);
const SKI_OID = oid(OID.subjectKeyIdentifier);

/** The parts of a leaf that are the same for every leaf of a CA. */
interface CaConstants {
  readonly algorithm: SignatureAlgorithm;
  /** Key usage, extended key usage and authority key identifier. */
  readonly extensions: Buffer;
}

/** Weak, so that a replaced CA goes with its key; a value of the CA alone, so that sharing it changes nothing. */
const constantsOf = new WeakMap<CaKeyPair, CaConstants>();

/**
 * Signs a workload certificate: empty subject, the names as a critical alternative name (DNS first), digitalSignature,
 * serverAuth and clientAuth, a random serial, SHA-256 with the CA's key (SHA-384 for P-384). Synchronous: one signature.
 * Does not judge key, names or lifetime. Throws `key_not_allowed` when the CA's key cannot sign.
 */
export function signLeaf(ca: CaKeyPair, template: LeafTemplate): Certificate {
  const { algorithm, extensions } = constants(ca);
  const tbs = sequence(
    VERSION_3,
    randomSerial(),
    algorithm.der,
    ca.certificate.subjectDer,
    sequence(time(template.notBefore), time(template.notAfter)),
    EMPTY_SUBJECT,
    template.publicKey.spki,
    tlv(
      context(3, true),
      sequence(
        extensions,
        sequence(SAN_OID, CRITICAL, octetString(alternativeNames(template))),
        sequence(SKI_OID, octetString(octetString(template.publicKey.keyId))),
      ),
    ),
  );
  const signature = sign(algorithm.digest, tbs, ca.key);
  return Certificate.parse(sequence(tbs, algorithm.der, bitString(signature)));
}

/** 128 random bits, with the odds of zero removed by keeping the highest bit but one set. */
function randomSerial(): Buffer {
  const bytes = randomBytes(SERIAL_BYTES + 1);
  bytes[0] = 1;
  return unsignedInteger(bytes);
}

function alternativeNames({ dnsName, uri }: LeafTemplate): Buffer {
  const dns = text(GENERAL_NAME.dns, dnsName);
  return uri === undefined ? sequence(dns) : sequence(dns, text(GENERAL_NAME.uri, uri));
}

function constants(ca: CaKeyPair): CaConstants {
  const known = constantsOf.get(ca);
  if (known !== undefined) return known;
  const keyId = ca.certificate.subjectKeyId ?? ca.certificate.publicKey.keyId;
  const authorityKeyId = sequence(
    oid(OID.authorityKeyIdentifier),
    octetString(sequence(tlv(context(0, false), keyId))),
  );
  const made = {
    algorithm: signingAlgorithm(ca.certificate.publicKey),
    extensions: Buffer.concat([USAGE, authorityKeyId]),
  };
  constantsOf.set(ca, made);
  return made;
}
