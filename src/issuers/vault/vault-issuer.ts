import type { AnchorPath } from '../../pki/anchor-paths.ts';
import type { TrustBundle } from '../../pki/trust-bundle.ts';
import { Backoff } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { formatDuration } from '../../runtime/durations.ts';
import { errorCode, errorMessage, isAppError } from '../../runtime/errors.ts';
import { LatestValue, type Latest } from '../../runtime/latest.ts';
import type { Log } from '../../runtime/log.ts';
import type { IssuedCertificate, Issuer, IssueRequest, IssuerState } from '../issuer.ts';
import { isDenied } from './capabilities.ts';
import { vaultErrors } from './errors.ts';
import { readMountCa } from './mount-ca.ts';
import { pkiAnswer, type PkiAnswer } from './pki-answer.ts';
import type { PkiPaths } from './pki-paths.ts';
import { marginMs, signRequest } from './sign-request.ts';
import { pathOfCa, type SigningCa } from './signing-ca.ts';
import type { VaultClient } from './vault-client.ts';
import type { VaultSession } from './vault-session.ts';

export interface VaultIssuerOptions {
  readonly client: Pick<VaultClient, 'read' | 'write' | 'aheadMs'>;
  readonly session: Pick<VaultSession, 'call'>;
  readonly paths: PkiPaths;
  readonly anchors: Latest<TrustBundle | undefined>;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a call may take. */
  readonly timeoutMs: number;
  readonly random?: () => number;
}

/** How often the CA in the mount, and the right to use it, are looked at. */
const lookMs = 30_000;
const retryPolicy = { minMs: 1_000, maxMs: lookMs, jitter: 0.2 };

/** Further apart, the certificates of Vault begin in the future or are shorter than they say. */
const clocksApartMs = 20_000;

/** What an operator should see to, each part of it until it is well again. */
type Trouble = 'ca' | 'sign' | 'lifetime' | 'clock';

/** Each certificate is signed by Vault under a role: no key of a CA is here. */
export class VaultIssuer implements Issuer {
  readonly #options: VaultIssuerOptions;
  readonly #state = new LatestValue<IssuerState>(
    { state: 'unavailable', reason: 'Vault has not been asked yet' },
    (a, b) => JSON.stringify(a) === JSON.stringify(b),
  );
  readonly #troubles = new Map<Trouble, string>();
  #ca: SigningCa | undefined;
  #path: AnchorPath | undefined;
  /** Fingerprint of the CA that the mount showed last. */
  #shown: string | undefined;
  /** Code of the error that the last certificate failed with. A role that is not there cannot be looked at. */
  #failedWith: string | undefined;
  #warned = '';
  #lookNow = new AbortController();

  constructor(options: VaultIssuerOptions) {
    this.#options = options;
  }

  get state(): Latest<IssuerState> {
    return this.#state;
  }

  /** Looks at the CA and the right to use it until the signal is aborted. */
  start(signal: AbortSignal): void {
    const { anchors } = this.#options;
    const stop = anchors.subscribe(() => this.#judgeAndTell());
    signal.addEventListener('abort', stop, { once: true });
    void this.#watch(signal);
  }

  async issue(request: IssueRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    const { client, session, paths, clock, timeoutMs } = this.#options;
    const timing = { now: clock.now(), aheadMs: client.aheadMs, timeoutMs, caEnd: this.#path?.notAfter };
    const body = signRequest(request, timing);
    try {
      const answer = await session.call((token) => client.write(paths.sign, body, { token, signal }), signal);
      return this.#signed(pkiAnswer(answer, paths.sign), request);
    } catch (error) {
      if (isAppError(error) && error.kind === 'unavailable' && !signal.aborted) this.#notSigned(error);
      throw error;
    }
  }

  #signed(answer: PkiAnswer, request: IssueRequest): IssuedCertificate {
    const { certificate: leaf, others, warnings } = answer;
    this.#tellWarnings(warnings);
    const certificate = others.find(
      (each) => leaf.issuerDer.equals(each.subjectDer) && leaf.isSignedBy(each.publicKey),
    );
    if (certificate !== undefined && !this.#ca?.certificate.equals(certificate)) {
      this.#ca = { certificate, others };
      this.#judge();
    }
    this.#set('sign', undefined);
    this.#set('lifetime', this.#shortened(request, leaf.notAfter));
    this.#tell();
    return { leaf, intermediates: others };
  }

  #notSigned(error: Error): void {
    this.#failedWith = errorCode(error);
    this.#set('sign', errorMessage(error));
    this.#tell();
    this.#lookNow.abort();
  }

  /** Said in round figures, so that the same cut is the same text for every certificate. */
  #shortened(request: IssueRequest, notAfter: Date): string | undefined {
    const { clock, timeoutMs } = this.#options;
    const nowMs = clock.now().getTime();
    const askedMs = Math.min(request.notAfter.getTime(), this.#path?.notAfter.getTime() ?? Infinity) - nowMs;
    const gotMs = notAfter.getTime() - nowMs;
    if (gotMs >= askedMs - marginMs(askedMs, timeoutMs) - askedMs * 0.05 - 2_000) return undefined;
    const unit = gotMs > 7_200_000 ? 600_000 : gotMs > 120_000 ? 60_000 : 10_000;
    const got = formatDuration(Math.ceil(gotMs / unit) * unit);
    return `Vault signs for about ${got} only, whatever is asked for: raise max_ttl of the role and of the mount, or lower KEDGE_ISSUANCE_LIFETIME`;
  }

  /** Once for the same text; the figures in it differ from certificate to certificate. */
  #tellWarnings(warnings: readonly string[]): void {
    const text = warnings.join('; ').replace(/\d+/g, '0');
    if (text === '' || text === this.#warned) return;
    this.#warned = text;
    this.#options.log.warn({ warnings }, 'Vault signs, with a warning');
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const backoff = new Backoff(retryPolicy, random);
    while (!signal.aborted) {
      const well = await this.#look(signal);
      if (well) backoff.reset();
      this.#lookNow = new AbortController();
      await clock.sleep(backoff.next(), signal).catch(() => undefined);
      if (!well) continue;
      // A certificate that was not signed is a reason to look at once.
      await clock.sleep(lookMs, AbortSignal.any([signal, this.#lookNow.signal])).catch(() => undefined);
    }
  }

  async #look(signal: AbortSignal): Promise<boolean> {
    const { client, session, paths } = this.#options;
    try {
      const { certificate, others } = await readMountCa(client, paths, signal);
      // A role may sign by another issuer than the default one: what is no news does not outdo what was seen to sign.
      if (this.#shown !== certificate.fingerprint) this.#ca = { certificate, others };
      this.#shown = certificate.fingerprint;
      const denied = await session.call((token) => isDenied(client, paths.sign, token, signal), signal);
      if (denied) throw forbidden(paths.sign);
      if (this.#failedWith !== 'vault_path_missing') this.#set('sign', undefined);
      this.#set('clock', this.#clocksApart());
      return this.#judgeAndTell();
    } catch (error) {
      if (signal.aborted) return false;
      this.#set('ca', errorMessage(error));
      this.#tell();
      return false;
    }
  }

  #judgeAndTell(): boolean {
    const well = this.#judge();
    this.#tell();
    return well;
  }

  /** Whether the CA leads to an anchor. */
  #judge(): boolean {
    const { anchors, clock, log } = this.#options;
    if (this.#ca === undefined) return false;
    if (anchors.value === undefined) {
      this.#set('ca', 'there are no trust anchors to verify the CA of Vault with');
      return false;
    }
    try {
      const path = pathOfCa(this.#ca, anchors.value, clock.now());
      const { label: issuer, fingerprint } = this.#ca.certificate;
      const isNew = this.#path?.path[0]?.fingerprint !== fingerprint;
      if (isNew) log.info({ issuer, fingerprint, until: path.notAfter }, 'issuer in Vault verified');
      this.#path = path;
      this.#set('ca', undefined);
      return true;
    } catch (error) {
      if (errorCode(error) !== 'vault_anchor_unknown') throw error;
      this.#set('ca', errorMessage(error));
      return false;
    }
  }

  #clocksApart(): string | undefined {
    const seconds = Math.round(this.#options.client.aheadMs / 1000);
    if (Math.abs(seconds) * 1000 <= clocksApartMs) return undefined;
    return `the clock of Vault is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} this one`;
  }

  #set(trouble: Trouble, text: string | undefined): void {
    if (text === undefined) this.#troubles.delete(trouble);
    else this.#troubles.set(trouble, text);
  }

  /** Once ready it stays so: what Vault does not do now, it does not do for any replica. */
  #tell(): void {
    const reasons = [...this.#troubles.values()].join('; ');
    if (this.#path === undefined || (this.#state.value.state !== 'ready' && this.#troubles.has('ca'))) {
      this.#state.set({ state: 'unavailable', reason: reasons || 'Vault has not been asked yet' });
      return;
    }
    const { notBefore, notAfter, path } = this.#path;
    const fingerprint = path[0]?.fingerprint;
    this.#state.set({
      state: 'ready',
      notBefore,
      notAfter,
      ...(fingerprint !== undefined && { fingerprint }),
      ...(reasons !== '' && { degraded: reasons }),
    });
  }
}

function forbidden(path: string): Error {
  return vaultErrors.error(
    'vault_forbidden',
    `expected the policy of the token to allow "update" on ${path}, it does not`,
  );
}
