import type { KubeClient } from '../../kube/kube-client.ts';
import { caKeyPair, type CaKeyPair } from '../../pki/ca-key-pair.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { encodePrivateKey } from '../../pki/keys.ts';
import { TrustBundle } from '../../pki/trust-bundle.ts';
import { verifyChain } from '../../pki/verify-chain.ts';
import type { MeshDomain, WorkloadIdentity } from '../../pki/workload-identity.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorMessage } from '../../runtime/errors.ts';
import type { Latest } from '../../runtime/latest.ts';
import { LatestValue } from '../../runtime/latest.ts';
import type { Log } from '../../runtime/log.ts';
import { issuerErrors } from '../errors.ts';
import type { IssuerState } from '../issuer.ts';
import { verifyCa } from '../local/ca-candidate.ts';
import { namesInUse } from '../local/ca-material.ts';
import { caTextsOf } from '../local/secret-source.ts';
import { anchorHolder, chainPem, issuerHolder, secretData, type CaPlaces } from './ca-objects.ts';
import { makeIssuer } from './make-issuer.ts';
import { find, held, update, type DataObject } from './settle-object.ts';

export interface IssuerRenewalOptions {
  readonly client: KubeClient;
  readonly places: CaPlaces;
  readonly mesh: MeshDomain;
  readonly lifetimeMs: number;
  /** The issuer in use: it tells when to look; the Secret, whether to renew. */
  readonly state: Latest<IssuerState>;
  readonly anchors: Latest<TrustBundle | undefined>;
  /** A workload of the mesh, for the leaf that is signed on trial. */
  readonly identity: WorkloadIdentity;
  readonly clock: Clock;
  readonly log: Log;
}

/** An issuer is due when this share of its life is over. */
const renewAfterShare = 2 / 3;
const checkMs = 30_000;
/** Who keeps a Secret under an annotation of this prefix renews what is in it. */
const foreignAnnotation = 'cert-manager.io/';

/**
 * Replaces the issuer in the Secret by a new one of the same anchor before it ends, or when the Secret was emptied, as long
 * as the anchor's key is in the cluster. What was emptied never comes back: whoever did it may have had a reason. Replicas
 * need not agree on who does it: the Secret is written only as it was read, so one of them wins and the others find nothing
 * left to do.
 */
export class IssuerRenewal {
  readonly #options: IssuerRenewalOptions;
  readonly #problem = new LatestValue<string | undefined>(undefined);

  constructor(options: IssuerRenewalOptions) {
    this.#options = options;
  }

  /** Why an issuer that is due has not been renewed, with the date of its end. */
  get problem(): Latest<string | undefined> {
    return this.#problem;
  }

  /** Looks when the state changes and twice a minute, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, state } = this.#options;
    while (!signal.aborted) {
      const present = state.value;
      const due = present.state === 'unavailable' || isDue(present, clock.now());
      if (due || present.degraded !== undefined) await this.#look(due, signal);
      else this.#tell(undefined);
      await this.#rest(present, signal);
    }
  }

  async #rest(present: IssuerState, signal: AbortSignal): Promise<void> {
    const { clock, state } = this.#options;
    const rested = new AbortController();
    const either = AbortSignal.any([signal, rested.signal]);
    const changed = state.until((next) => next !== present, either);
    await Promise.race([clock.sleep(checkMs, either), changed]).catch(() => undefined);
    rested.abort();
  }

  async #look(due: boolean, signal: AbortSignal): Promise<void> {
    try {
      await this.#renew(due, signal);
      this.#tell(undefined);
    } catch (error) {
      if (!signal.aborted) this.#tell(errorMessage(error));
    }
  }

  /** @param due the issuer in use; else one is made only where the Secret is empty */
  async #renew(due: boolean, signal: AbortSignal): Promise<void> {
    const { client, places, clock, log } = this.#options;
    const holder = issuerHolder(places);
    const secret = await find(client, holder, signal);
    if (secret === undefined || isKeptByOthers(secret)) return;
    const issuer = holder.read(secret);
    if (issuer !== undefined && !(due && isOver(issuer.certificate, clock.now()))) return;
    const anchor = await this.#anchorOf(issuer, signal);
    const renewed = await this.#make(issuer?.certificate, anchor);
    const data = issuer === undefined ? holder.write(renewed) : renewedData(places.issuer, secret, renewed);
    if (!(await update(client, holder, secret, data, signal))) return;
    const { fingerprint, notAfter } = renewed.certificate;
    log.info({ fingerprint, until: notAfter }, issuer === undefined ? 'issuer made anew' : 'issuer renewed');
  }

  async #anchorOf(issuer: CaKeyPair | undefined, signal: AbortSignal): Promise<CaKeyPair> {
    const before = issuer?.certificate;
    const { client, places, anchors } = this.#options;
    const where = `the Secret ${places.namespace}/${places.anchor}`;
    const anchor = await held(client, anchorHolder(places), signal);
    if (anchor?.key === undefined) {
      throw notRenewed(
        before,
        `expected the anchor's key in ${where}, found none; make a new issuer with it`,
      );
    }
    if (anchors.value?.has(anchor.certificate) !== true) {
      throw notRenewed(before, `expected the anchor in ${where} to be published, found it is not`);
    }
    if (issuer !== undefined && !isBelow(issuer, anchor.certificate)) {
      throw notRenewed(before, `expected it to be of the anchor in ${where}, got one of another`);
    }
    return caKeyPair([anchor.certificate], anchor.key);
  }

  async #make(before: Certificate | undefined, anchor: CaKeyPair): Promise<CaKeyPair> {
    const { mesh, lifetimeMs, identity, anchors, clock } = this.#options;
    const now = clock.now();
    const pair = await makeIssuer({ anchor, mesh, lifetimeMs, now });
    if (before !== undefined && before.notBefore <= now && pair.certificate.notAfter <= before.notAfter) {
      const anchorEnd = anchor.certificate.notAfter.toISOString();
      throw notRenewed(
        before,
        `its trust anchor ends at ${anchorEnd}, and no issuer outlives it; replace the anchor`,
      );
    }
    const bundle = anchors.value;
    if (bundle !== undefined) verifyCa(pair, { bundle, identity, now });
    return pair;
  }

  #tell(reason: string | undefined): void {
    if (reason === this.#problem.value) return;
    this.#problem.set(reason);
    if (reason !== undefined) this.#options.log.warn({ reason }, 'issuer not renewed');
  }
}

function isDue({ notBefore, notAfter }: { notBefore: Date; notAfter: Date }, now: Date): boolean {
  const lifeMs = notAfter.getTime() - notBefore.getTime();
  return now.getTime() - notBefore.getTime() >= lifeMs * renewAfterShare;
}

/** Also one that has not begun, for it can be that the clock of the replica which made it ran ahead. */
function isOver(issuer: Certificate, now: Date): boolean {
  return isDue(issuer, now) || issuer.notBefore > now;
}

/** Judged for when all had begun, since one that has ended is renewed as well. */
function isBelow({ certificate: leaf, chain: intermediates }: CaKeyPair, anchor: Certificate): boolean {
  const begins = [leaf, ...intermediates, anchor].map(({ notBefore }) => notBefore.getTime());
  const at = new Date(Math.max(...begins));
  try {
    verifyChain({ leaf, intermediates, bundle: TrustBundle.of([anchor]), at, usage: 'ca' });
    return true;
  } catch {
    return false;
  }
}

function isKeptByOthers({ metadata: { annotations = {} } }: DataObject): boolean {
  return Object.keys(annotations).some((name) => name.startsWith(foreignAnnotation));
}

/** Under the names that the Secret uses. */
function renewedData(where: string, secret: DataObject, pair: CaKeyPair): Record<string, string> {
  const texts = caTextsOf(secret);
  const names = namesInUse(where, (name) => texts[name]);
  return secretData({
    [names.certificates]: chainPem(pair),
    [names.privateKey]: encodePrivateKey(pair.key),
  });
}

/** @param issuer none where its Secret is empty */
function notRenewed(issuer: Certificate | undefined, why: string): Error {
  const what =
    issuer === undefined
      ? 'the Secret of the issuer is empty and no other issuer is made'
      : `the issuer ends at ${issuer.notAfter.toISOString()} and is not renewed`;
  return issuerErrors.error('issuer_not_renewed', `${what}: ${why}`);
}
