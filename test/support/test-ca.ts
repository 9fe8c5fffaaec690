import type { KeyObject } from 'node:crypto';
import type { CaKeyPair } from '../../src/pki/ca-key-pair.ts';
import { Certificate } from '../../src/pki/certificate.ts';
import type { Credentials } from '../../src/pki/credentials.ts';
import { context } from '../../src/pki/der.ts';
import { octetString, sequence, tlv } from '../../src/pki/der-writer.ts';
import { encodeName } from '../../src/pki/distinguished-name.ts';
import { OID } from '../../src/pki/oids.ts';
import { PublicKey } from '../../src/pki/public-key.ts';
import { TrustBundle } from '../../src/pki/trust-bundle.ts';
import { MeshDomain } from '../../src/pki/workload-identity.ts';
import type { WorkloadIdentity } from '../../src/pki/workload-identity.ts';
import type { KeyPair, Subtrees, TestKeyType, TestSignature } from './certificate-builder.ts';
import {
  basicConstraints,
  buildCertificate,
  extendedKeyUsage,
  extension,
  generalName,
  keyUsage,
  nameConstraints,
  subjectAltName,
  testKeyPair,
  unknownExtension,
} from './certificate-builder.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Turns what every certificate has in common; each has an honest default. */
interface CommonOptions {
  readonly keyType?: TestKeyType;
  /** A pair made before: for CAs that share a key, or renewed certificates. */
  readonly keyPair?: KeyPair;
  /** Defaults: an hour ago, and an hour ahead for leaves, thirty days for CAs. */
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Bits by number, `null` for no key usage at all. */
  readonly keyUsage?: readonly number[] | null;
  /** Dotted OIDs, `null` for none at all. */
  readonly extendedKeyUsage?: readonly string[] | null;
  /** How the issuer signs. */
  readonly signature?: TestSignature;
  /** Adds a critical extension nobody understands. */
  readonly unknownCritical?: boolean;
  /** Whole extensions to add as they are. */
  readonly extraExtensions?: readonly Buffer[];
}

export interface TestCaOptions extends CommonOptions {
  readonly commonName?: string;
  /** `false` leaves the CA flag out. */
  readonly isCa?: boolean;
  readonly pathLength?: number;
  readonly permittedDns?: readonly string[];
  readonly excludedDns?: readonly string[];
  readonly permittedUri?: readonly string[];
  /** Constraints as whole GeneralNames, beside those above. */
  readonly subtrees?: Subtrees;
  readonly constraintsCritical?: boolean;
  /** `false` leaves the subject key identifier out. */
  readonly subjectKeyId?: boolean;
}

export interface TestLeafOptions extends CommonOptions {
  /** Gives both names of an identity. */
  readonly identity?: WorkloadIdentity;
  readonly dnsName?: string;
  readonly uri?: string;
  /** Alternative names as whole GeneralNames, in place of the above; an empty list leaves the extension out. */
  readonly names?: readonly Buffer[];
  readonly commonName?: string;
  /** `true` sets the CA flag on the leaf. */
  readonly isCa?: boolean;
}

/** A leaf with its key, and everything a process needs to use it. */
export interface TestLeaf {
  readonly certificate: Certificate;
  /** Leaf first, then the intermediates up to the anchor, without it. */
  readonly chain: Certificate[];
  readonly key: KeyObject;
  readonly keyPair: KeyPair;
  /** Trusts the anchor of its own chain unless told otherwise. */
  credentials(bundle?: TrustBundle): Credentials;
}

/** A CA for tests; `create` makes an anchor, `intermediate` one below it, `leaf` a workload certificate. Synchronous. */
export class TestCa implements CaKeyPair {
  static #made = 0;

  readonly certificate: Certificate;
  readonly key: KeyObject;
  readonly keyPair: KeyPair;
  /** CAs above this one, nearest first, without the anchor. */
  readonly chain: readonly Certificate[];
  readonly anchor: Certificate;

  private constructor(
    certificate: Certificate,
    keyPair: KeyPair,
    chain: readonly Certificate[],
    anchor?: Certificate,
  ) {
    this.certificate = certificate;
    this.key = keyPair.privateKey;
    this.keyPair = keyPair;
    this.chain = chain;
    this.anchor = anchor ?? certificate;
  }

  /** A self-signed anchor; each has a name of its own unless told otherwise. */
  static create(options: TestCaOptions = {}): TestCa {
    const keyPair = options.keyPair ?? testKeyPair(options.keyType);
    const name = encodeName(options.commonName ?? `test root ${++TestCa.#made}`);
    return new TestCa(makeCa(options, name, keyPair, name, keyPair.privateKey), keyPair, []);
  }

  /** The bundle that holds this CA's anchor. */
  get bundle(): TrustBundle {
    return TrustBundle.of([this.anchor]);
  }

  /** What a leaf of this CA is sent with, leaf left out. */
  get intermediates(): Certificate[] {
    return this.certificate.equals(this.anchor) ? [] : [this.certificate, ...this.chain];
  }

  intermediate(options: TestCaOptions = {}): TestCa {
    const keyPair = options.keyPair ?? testKeyPair(options.keyType);
    const name = encodeName(options.commonName ?? `test intermediate ${++TestCa.#made}`);
    const certificate = makeCa(options, name, keyPair, this.certificate.subjectDer, this.key);
    return new TestCa(certificate, keyPair, this.intermediates, this.anchor);
  }

  /** The same CA as an anchor of its own, although another one signed it. */
  asAnchor(): TestCa {
    return new TestCa(this.certificate, this.keyPair, []);
  }

  /** A further certificate for another CA's name and key, signed by this one. */
  crossSign(other: TestCa, options: TestCaOptions = {}): TestCa {
    const name = other.certificate.subjectDer;
    const certificate = makeCa(options, name, other.keyPair, this.certificate.subjectDer, this.key);
    return new TestCa(certificate, other.keyPair, this.intermediates, this.anchor);
  }

  leaf(options: TestLeafOptions = {}): TestLeaf {
    const keyPair = options.keyPair ?? testKeyPair(options.keyType);
    const certificate = Certificate.parse(
      buildCertificate({
        issuerName: this.certificate.subjectDer,
        issuerKey: this.key,
        subjectName: encodeName(options.commonName),
        publicKey: keyPair.publicKey,
        notBefore: options.notBefore ?? fromNow(-HOUR),
        notAfter: options.notAfter ?? fromNow(HOUR),
        extensions: leafExtensions(options, keyPair, this),
        ...(options.signature && { signature: options.signature }),
      }),
    );
    const chain = [certificate, ...this.intermediates];
    return {
      certificate,
      chain,
      key: keyPair.privateKey,
      keyPair,
      credentials: (bundle = this.bundle) => ({
        identity: options.identity ?? identityOf(certificate),
        leaf: certificate,
        chain,
        key: keyPair.privateKey,
        bundle,
      }),
    };
  }
}

function makeCa(
  options: TestCaOptions,
  name: Buffer,
  keyPair: KeyPair,
  issuerName: Buffer,
  issuerKey: KeyObject,
): Certificate {
  const der = buildCertificate({
    issuerName,
    issuerKey,
    subjectName: name,
    publicKey: keyPair.publicKey,
    notBefore: options.notBefore ?? fromNow(-HOUR),
    notAfter: options.notAfter ?? fromNow(30 * DAY),
    extensions: [...caExtensions(options, keyPair), authorityKeyId(issuerKey)],
    ...(options.signature && { signature: options.signature }),
  });
  return Certificate.parse(der);
}

function caExtensions(options: TestCaOptions, keyPair: KeyPair): Buffer[] {
  const permitted = [
    ...(options.permittedDns ?? []).map(generalName.dns),
    ...(options.permittedUri ?? []).map(generalName.uri),
    ...(options.subtrees?.permitted ?? []),
  ];
  const excluded = [
    ...(options.excludedDns ?? []).map(generalName.dns),
    ...(options.subtrees?.excluded ?? []),
  ];
  const constrained = permitted.length + excluded.length > 0;
  return [
    ...(options.isCa === false ? [] : [basicConstraints(true, options.pathLength)]),
    ...(options.keyUsage === null ? [] : [keyUsage(...(options.keyUsage ?? [5, 6]))]),
    ...(options.extendedKeyUsage ? [extendedKeyUsage(...options.extendedKeyUsage)] : []),
    ...(options.subjectKeyId === false ? [] : [subjectKeyId(keyPair)]),
    ...(constrained ? [nameConstraints(options.constraintsCritical ?? true, { permitted, excluded })] : []),
    ...moreExtensions(options),
  ];
}

function leafExtensions(options: TestLeafOptions, keyPair: KeyPair, ca: TestCa): Buffer[] {
  const dnsName =
    options.identity?.dnsName ?? options.dnsName ?? 'web.shop.serviceaccount.identity.kedge.cluster.local';
  const uri = options.identity?.spiffeId ?? options.uri;
  const names = options.names ?? [
    generalName.dns(dnsName),
    ...(uri === undefined ? [] : [generalName.uri(uri)]),
  ];
  return [
    ...(options.isCa === true ? [basicConstraints(true)] : []),
    ...(options.keyUsage === null ? [] : [keyUsage(...(options.keyUsage ?? [0]))]),
    ...(options.extendedKeyUsage === null
      ? []
      : [extendedKeyUsage(...(options.extendedKeyUsage ?? [OID.serverAuth, OID.clientAuth]))]),
    ...(names.length === 0 ? [] : [subjectAltName(options.commonName === undefined, ...names)]),
    subjectKeyId(keyPair),
    authorityKeyId(ca.key),
    ...moreExtensions(options),
  ];
}

function moreExtensions(options: CommonOptions): Buffer[] {
  return [
    ...(options.unknownCritical === true ? [unknownExtension(true)] : []),
    ...(options.extraExtensions ?? []),
  ];
}

function subjectKeyId(keyPair: KeyPair): Buffer {
  return extension(OID.subjectKeyIdentifier, false, octetString(PublicKey.of(keyPair.publicKey).keyId));
}

function authorityKeyId(issuerKey: KeyObject): Buffer {
  const keyId = PublicKey.of(issuerKey).keyId;
  return extension(OID.authorityKeyIdentifier, false, sequence(tlv(context(0, false), keyId)));
}

/** Reads the mesh out of the name itself: the control namespace and the trust domain are what follows `identity`. */
function identityOf(leaf: Certificate): WorkloadIdentity {
  const dnsName = leaf.sans.dns[0] ?? '';
  const [controlNamespace = '', ...trustDomain] = (dnsName.split('.serviceaccount.identity.')[1] ?? '').split(
    '.',
  );
  return new MeshDomain(controlNamespace, trustDomain.join('.')).parse(dnsName);
}

function fromNow(milliseconds: number): Date {
  return new Date(Date.now() + milliseconds);
}
