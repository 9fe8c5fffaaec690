import { chainPem, secretData } from '../../../src/issuers/own-ca/ca-objects.ts';
import { encodePrivateKey } from '../../../src/pki/keys.ts';
import { eventually } from '../../support/eventually.ts';
import type { TestCa } from '../../support/test-ca.ts';
import type { TestCluster } from '../test-cluster.ts';
import { resourceNamespace } from './cert-manager.ts';

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

/** An object of cert-manager, as far as tests read it. */
export interface CertManagerObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly certificate?: string;
    readonly ca?: string;
    readonly revision?: number;
  };
}

const group = 'cert-manager.io';

/** The path of objects of cert-manager: all of a namespace (or of the cluster), or one. */
export function certManagerPath(plural: string, namespace?: string, name?: string): string {
  const place = namespace === undefined ? '' : `/namespaces/${namespace}`;
  return `/apis/${group}/v1${place}/${plural}${name === undefined ? '' : `/${name}`}`;
}

/** Applies an object of cert-manager; a second one of the name takes the place of the first. */
export async function applyObject(
  cluster: TestCluster,
  kind: string,
  { namespace, name, spec }: { readonly namespace?: string; readonly name: string; readonly spec: object },
): Promise<CertManagerObject> {
  const plural = `${kind.toLowerCase()}s`;
  const metadata = { name, ...(namespace !== undefined && { namespace }) };
  return cluster.expect(`${certManagerPath(plural, namespace, name)}?fieldManager=test&force=true`, {
    method: 'PATCH',
    contentType: 'application/apply-patch+yaml',
    body: { apiVersion: `${group}/v1`, kind, metadata, spec },
  });
}

/** Sets conditions of an object's status as a controller would, beside those of other types. */
export function setConditions(
  cluster: TestCluster,
  path: string,
  conditions: readonly Condition[],
  more: object = {},
): Promise<void> {
  const types = conditions.map(({ type }) => type);
  const lastTransitionTime = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const set = conditions.map((condition) => ({ lastTransitionTime, ...condition }));
  // The controller writes too.
  return eventually(async () => {
    const object = await cluster.expect<CertManagerObject>(path);
    const { status } = object;
    const kept = (status?.conditions ?? []).filter(({ type }) => !types.includes(type));
    const body = { ...object, status: { ...status, ...more, conditions: [...kept, ...set] } };
    await cluster.expect(`${path}/status`, { method: 'PUT', body });
  });
}

/** Waits until an object's condition `Ready` is true. */
export function ready(cluster: TestCluster, path: string): Promise<CertManagerObject> {
  return eventually(async () => {
    const object = await cluster.expect<CertManagerObject>(path);
    const conditions = object.status?.conditions ?? [];
    const holds = (wanted: string): boolean =>
      conditions.some(({ type, status }) => type === wanted && status === 'True');
    // What is issued is there before the word that issuing is over, which would wipe out the wish to renew.
    if (holds('Ready') && !holds('Issuing')) return object;
    throw new Error(`expected ${path} to be ready, got ${JSON.stringify(conditions)}`);
  });
}

/** Applies a Secret with these texts. */
export async function putSecret(
  cluster: TestCluster,
  place: { readonly namespace: string; readonly name: string },
  texts: Readonly<Record<string, string>>,
): Promise<void> {
  const { namespace, name } = place;
  await cluster.expect(`/api/v1/namespaces/${namespace}/secrets/${name}?fieldManager=test&force=true`, {
    method: 'PATCH',
    contentType: 'application/apply-patch+yaml',
    body: { apiVersion: 'v1', kind: 'Secret', metadata: place, data: secretData(texts) },
  });
}

/**
 * An issuer of kind CA with its key in a Secret, ready to sign: an `Issuer` of a namespace, or a `ClusterIssuer` where none is
 * given. Another CA under the same name takes the place of the first.
 */
export async function caIssuer(
  cluster: TestCluster,
  { namespace, name, ca }: { readonly namespace?: string; readonly name: string; readonly ca: TestCa },
): Promise<void> {
  const secretName = `${name}-key`;
  await putSecret(
    cluster,
    { namespace: namespace ?? resourceNamespace, name: secretName },
    { 'tls.crt': chainPem(ca), 'tls.key': encodePrivateKey(ca.key), 'ca.crt': ca.anchor.pem },
  );
  await issuer(cluster, {
    ...(namespace !== undefined && { namespace }),
    name,
    spec: { ca: { secretName } },
  });
}

/** An issuer of any kind of cert-manager's own, once it is ready. */
export async function issuer(
  cluster: TestCluster,
  wish: { readonly namespace?: string; readonly name: string; readonly spec: object },
): Promise<void> {
  const kind = wish.namespace === undefined ? 'ClusterIssuer' : 'Issuer';
  await applyObject(cluster, kind, wish);
  await ready(cluster, certManagerPath(`${kind.toLowerCase()}s`, wish.namespace, wish.name));
}

export interface CaCertificateWish {
  readonly namespace: string;
  /** Of the Certificate and of its Secret. */
  readonly name: string;
  readonly issuerRef: { readonly name: string; readonly kind: 'Issuer' | 'ClusterIssuer' };
  /** More of the spec, or in place of what is usual. */
  readonly spec?: object;
}

/** A CA `Certificate` as an operator makes it for Kedge's intermediate mode, once its Secret is there. */
export async function caCertificate(
  cluster: TestCluster,
  { namespace, name, issuerRef, spec = {} }: CaCertificateWish,
): Promise<void> {
  await applyObject(cluster, 'Certificate', {
    namespace,
    name,
    spec: {
      secretName: name,
      isCA: true,
      commonName: `identity.${namespace}.cluster.local`,
      duration: '48h',
      renewBefore: '25h',
      privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' },
      usages: ['cert sign', 'crl sign', 'digital signature'],
      issuerRef,
      ...spec,
    },
  });
  await ready(cluster, certManagerPath('certificates', namespace, name));
}

/** What `cmctl renew` does. */
export function renew(cluster: TestCluster, namespace: string, name: string): Promise<void> {
  const condition = {
    type: 'Issuing',
    status: 'True',
    reason: 'ManuallyTriggered',
    message: 'by a test',
  } as const;
  return setConditions(cluster, certManagerPath('certificates', namespace, name), [condition]);
}
