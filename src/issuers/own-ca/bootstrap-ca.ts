import type { KubeClient } from '../../kube/kube-client.ts';
import { createAnchor } from '../../pki/authority.ts';
import { caKeyPair, type CaKeyPair } from '../../pki/ca-key-pair.ts';
import { generateKeyPair } from '../../pki/keys.ts';
import { TrustBundle } from '../../pki/trust-bundle.ts';
import { verifyChain } from '../../pki/verify-chain.ts';
import type { MeshDomain } from '../../pki/workload-identity.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { issuerErrors } from '../errors.ts';
import { anchorHolder, bundleHolder, issuerHolder, type CaPlaces, type HeldAnchor } from './ca-objects.ts';
import { caName } from './ca-name.ts';
import { makeIssuer } from './make-issuer.ts';
import { held, settleObject } from './settle-object.ts';

export interface BootstrapCaOptions {
  readonly client: KubeClient;
  readonly places: CaPlaces;
  readonly mesh: MeshDomain;
  readonly anchorLifetimeMs: number;
  readonly issuerLifetimeMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Makes what is missing of the CA of the mesh, in this order: the trust anchor with its key, the trust bundle, the
 * issuer. Each follows from the one before, so whoever begins, stops or is overtaken anywhere, the first anchor that was
 * written is the anchor of all. What is there is never changed. Rejects with `ca_objects_incomplete` where what is there
 * came from an anchor that is not, `ca_objects_conflict` where the parts do not belong together, and as the client does.
 */
export async function bootstrapCa(options: BootstrapCaOptions, signal: AbortSignal): Promise<void> {
  const { client, places } = options;
  const anchors = anchorHolder(places);
  const bundles = bundleHolder(places);
  const issuers = issuerHolder(places);
  // In the reverse of the order of writing: what is seen here was written after all that is looked at next.
  const issuer = await held(client, issuers, signal);
  const bundle = await held(client, bundles, signal);
  if (issuer !== undefined && bundle !== undefined) return;
  const before = await held(client, anchors, signal);
  if (before === undefined) refuseToInvent(places, issuer, bundle);
  const anchor = before ?? (await settleObject(client, anchors, () => makeAnchor(options), signal));
  if (issuer !== undefined) checkBelongs(options, issuer, anchor);
  const published = await settleObject(client, bundles, () => makeBundle(options, anchor), signal);
  checkPublished(places, published, anchor);
  await settleObject(client, issuers, () => makeFirstIssuer(options, anchor), signal);
}

/** A second anchor beside one that is kept elsewhere would split the mesh in two. */
function refuseToInvent(
  { namespace, anchor, issuer, bundle }: CaPlaces,
  presentIssuer: CaKeyPair | undefined,
  presentBundle: TrustBundle | undefined,
): void {
  if (presentIssuer === undefined && presentBundle === undefined) return;
  const [there, missing] =
    presentIssuer === undefined
      ? [`ConfigMap ${bundle}`, `Secret ${issuer}`]
      : [`Secret ${issuer}`, `ConfigMap ${bundle}`];
  throw issuerErrors.error(
    'ca_objects_incomplete',
    `expected the trust anchor in the Secret ${namespace}/${anchor} to make the ${missing} with, found none, while the ${there} is there: bring it back, or make the ${missing} by hand`,
  );
}

async function makeAnchor({ mesh, anchorLifetimeMs, clock, log }: BootstrapCaOptions): Promise<HeldAnchor> {
  const { privateKey: key } = generateKeyPair();
  const commonName = caName('root', mesh);
  const { certificate } = await createAnchor({
    commonName,
    lifetimeMs: anchorLifetimeMs,
    now: clock.now(),
    key,
  });
  const { fingerprint, notAfter } = certificate;
  log.info(
    { anchor: commonName, fingerprint, until: notAfter },
    'trust anchor made; the first one written is kept',
  );
  return { certificate, key };
}

function makeBundle({ log }: BootstrapCaOptions, { certificate }: HeldAnchor): Promise<TrustBundle> {
  const bundle = TrustBundle.of([certificate]);
  log.info({ sha256: bundle.sha256 }, 'trust bundle made');
  return Promise.resolve(bundle);
}

async function makeFirstIssuer(options: BootstrapCaOptions, anchor: HeldAnchor): Promise<CaKeyPair> {
  const { places, mesh, issuerLifetimeMs: lifetimeMs, clock, log } = options;
  const { certificate, key } = anchor;
  if (key === undefined) {
    throw issuerErrors.error(
      'ca_objects_incomplete',
      `expected the anchor's key in the Secret ${places.namespace}/${places.anchor} to make an issuer with, found its certificate only: bring it back for this once`,
    );
  }
  const pair = await makeIssuer({
    anchor: caKeyPair([certificate], key),
    mesh,
    lifetimeMs,
    now: clock.now(),
  });
  const { fingerprint, notAfter } = pair.certificate;
  log.info({ fingerprint, until: notAfter }, 'issuer made; the first one written is kept');
  return pair;
}

function checkBelongs({ places, clock }: BootstrapCaOptions, issuer: CaKeyPair, anchor: HeldAnchor): void {
  const { certificate: leaf, chain: intermediates } = issuer;
  const bundle = TrustBundle.of([anchor.certificate]);
  try {
    verifyChain({ leaf, intermediates, bundle, at: clock.now(), usage: 'ca' });
  } catch (cause) {
    throw issuerErrors.error(
      'ca_objects_conflict',
      `expected the issuer in the Secret ${places.namespace}/${places.issuer} to be of the anchor in ${places.anchor}, got another: make the ConfigMap ${places.bundle} by hand`,
      { cause },
    );
  }
}

function checkPublished(
  { namespace, bundle, anchor }: CaPlaces,
  published: TrustBundle,
  { certificate }: HeldAnchor,
): void {
  if (published.has(certificate)) return;
  throw issuerErrors.error(
    'ca_objects_conflict',
    `expected the anchor of the Secret ${namespace}/${anchor} in the ConfigMap ${bundle}, got only others: an issuer of it would be trusted by nobody`,
  );
}
