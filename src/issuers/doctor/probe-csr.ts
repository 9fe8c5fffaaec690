import type { KeyObject } from 'node:crypto';
import { sign } from 'node:crypto';
import { context } from '../../pki/der.ts';
import {
  bitString,
  boolean,
  octetString,
  oid,
  sequence,
  setOf,
  smallInteger,
  text,
  tlv,
} from '../../pki/der-writer.ts';
import { encodeName } from '../../pki/distinguished-name.ts';
import { GENERAL_NAME } from '../../pki/general-names.ts';
import { generateKeyPair } from '../../pki/keys.ts';
import { OID } from '../../pki/oids.ts';
import { PublicKey } from '../../pki/public-key.ts';
import { signingAlgorithm } from '../../pki/signature-algorithm.ts';

/** What a signing request on trial asks for. */
export interface ProbeNames {
  readonly dns?: string;
  readonly uri?: string;
  /** Four octets. */
  readonly ip?: readonly [number, number, number, number];
  readonly commonName?: string;
  /** Asks for a CA. */
  readonly ca?: boolean;
}

/** A signing request in DER with whatever names, for a key that is forgotten when this returns. */
export function probeCsr(names: ProbeNames, key: KeyObject = generateKeyPair().privateKey): Buffer {
  const publicKey = PublicKey.of(key);
  const request = sequence(oid(OID.extensionRequest), setOf(sequence(...extensionsOf(names))));
  const info = sequence(
    smallInteger(0),
    encodeName(names.commonName),
    publicKey.spki,
    tlv(context(0, true), request),
  );
  const algorithm = signingAlgorithm(publicKey);
  return sequence(info, algorithm.der, bitString(sign(algorithm.digest, info, key)));
}

function extensionsOf({ dns, uri, ip, ca = false }: ProbeNames): Buffer[] {
  const names = [
    ...(dns === undefined ? [] : [text(GENERAL_NAME.dns, dns)]),
    ...(uri === undefined ? [] : [text(GENERAL_NAME.uri, uri)]),
    ...(ip === undefined ? [] : [tlv(GENERAL_NAME.ip, Buffer.from(ip))]),
  ];
  const san = sequence(oid(OID.subjectAltName), octetString(sequence(...names)));
  if (!ca) return [san];
  const critical = boolean(true);
  return [san, sequence(oid(OID.basicConstraints), critical, octetString(sequence(boolean(true))))];
}
