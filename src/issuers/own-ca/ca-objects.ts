import type { KeyObject } from 'node:crypto';
import { configMaps, secrets } from '../../kube/resources.ts';
import type { CaKeyPair } from '../../pki/ca-key-pair.ts';
import { caKeyPair, parseCaKeyPair } from '../../pki/ca-key-pair.ts';
import { Certificate } from '../../pki/certificate.ts';
import { encodePrivateKey, parsePrivateKey } from '../../pki/keys.ts';
import { TrustBundle } from '../../pki/trust-bundle.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { issuerErrors } from '../errors.ts';
import { readCaMaterial } from '../local/ca-material.ts';
import { caTextsOf } from '../local/secret-source.ts';
import type { Holder } from './settle-object.ts';

/** Where the cluster keeps the CA of the mesh, all in the control namespace. */
export interface CaPlaces {
  readonly namespace: string;
  /** Secret of the issuer. */
  readonly issuer: string;
  /** Secret of the trust anchor; its key can be taken out and kept elsewhere. */
  readonly anchor: string;
  /** ConfigMap of the trust bundle. */
  readonly bundle: string;
}

/** The key of the bundle in its ConfigMap, as the contract names it. */
export const bundleKey = 'ca-bundle.crt';

/** The trust anchor; its key only where that has not been taken away. */
export interface HeldAnchor {
  readonly certificate: Certificate;
  readonly key: KeyObject | undefined;
}

export function anchorHolder({ namespace, anchor }: CaPlaces): Holder<HeldAnchor> {
  const where = `the Secret ${namespace}/${anchor}`;
  return {
    resource: secrets,
    place: { namespace, name: anchor },
    read: (secret) => understand(where, () => readAnchor(caTextsOf(secret))),
    write: ({ certificate, key }) =>
      secretData({ 'tls.crt': certificate.pem, ...(key && { 'tls.key': encodePrivateKey(key) }) }),
  };
}

export function issuerHolder({ namespace, issuer }: CaPlaces): Holder<CaKeyPair> {
  const where = `the Secret ${namespace}/${issuer}`;
  return {
    resource: secrets,
    place: { namespace, name: issuer },
    read: (secret) =>
      understand(where, () => {
        const texts = caTextsOf(secret);
        if (Object.keys(texts).length === 0) return undefined;
        const { certificates, privateKey } = readCaMaterial(where, (name) => texts[name]);
        return parseCaKeyPair(certificates, privateKey);
      }),
    write: (pair) => secretData({ 'tls.crt': chainPem(pair), 'tls.key': encodePrivateKey(pair.key) }),
  };
}

export function bundleHolder({
  namespace,
  bundle,
}: Pick<CaPlaces, 'namespace' | 'bundle'>): Holder<TrustBundle> {
  const where = `the ConfigMap ${namespace}/${bundle}`;
  return {
    resource: configMaps,
    place: { namespace, name: bundle },
    read: ({ data }) =>
      understand(where, () => {
        const text = data?.[bundleKey];
        return text === undefined || text === '' ? undefined : TrustBundle.parsePem(text);
      }),
    write: ({ pem }) => ({ [bundleKey]: pem }),
  };
}

/** The issuer's certificate first, then those above it, without the anchor. */
export function chainPem({ certificate, chain }: CaKeyPair): string {
  return [certificate, ...chain].map(({ pem }) => pem).join('');
}

/** Texts as a Secret holds them. */
export function secretData(texts: Readonly<Record<string, string>>): Record<string, string> {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, encode(text)]));
}

function readAnchor(texts: Readonly<Record<string, string>>): HeldAnchor | undefined {
  if (Object.keys(texts).length === 0) return undefined;
  const [certificate] = Certificate.parsePem(texts['tls.crt'] ?? '');
  if (certificate === undefined)
    throw issuerErrors.error('ca_objects_conflict', 'expected tls.crt, got none');
  const keyText = texts['tls.key'];
  if (keyText === undefined || keyText === '') return { certificate, key: undefined };
  const { key } = caKeyPair([certificate], parsePrivateKey(keyText));
  return { certificate, key };
}

/** What is wrong with the content is told with the object's name. */
function understand<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw issuerErrors.error('ca_objects_conflict', `${where}: ${errorMessage(cause)}`, { cause });
  }
}
