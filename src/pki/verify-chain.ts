import type { AppError } from '../runtime/errors.ts';
import { isAppError } from '../runtime/errors.ts';
import type { Certificate } from './certificate.ts';
import type { NameBudget } from './chain-names.ts';
import { checkNames } from './chain-names.ts';
import type { ChainUsage } from './chain-rules.ts';
import { checkAlgorithm, checkAny, checkCa, checkLeaf } from './chain-rules.ts';
import { pkiErrors } from './errors.ts';
import type { TrustBundle } from './trust-bundle.ts';

export type { ChainUsage } from './chain-rules.ts';

/** CAs between a leaf and its anchor; as many as the contract's proxy follows. */
const MAX_INTERMEDIATES = 6;

/** Signatures checked for one chain. An honest chain needs one each; cross-signed and renamed CAs some more. */
const MAX_SIGNATURE_CHECKS = 64;

export interface ChainOptions {
  readonly leaf: Certificate;
  /** In any order; those that are not needed do no harm. */
  readonly intermediates: readonly Certificate[];
  readonly bundle: TrustBundle;
  readonly at: Date;
  readonly usage: ChainUsage;
}

/**
 * Finds a path from the leaf to an anchor on which every rule holds (RFC 5280 6.1, contract 3.1) and gives it, leaf first,
 * anchor last. Anchors are held to the same rules as other CAs, their end and constraints included. With `usage: 'ca'` the
 * leaf is a CA that shall sign workload certificates; one that is itself an anchor is its own path.
 *
 * Throws a `chain_...` error that names the certificate and the rule, of the path that came furthest.
 */
export function verifyChain(options: ChainOptions): readonly Certificate[] {
  const { leaf, bundle, at, usage } = options;
  checkAny(leaf, at, usage);
  if (usage === 'ca') checkCa(leaf, 0);
  else checkLeaf(leaf);
  if (usage === 'ca' && bundle.has(leaf)) return [leaf];
  return new PathSearch(options).run();
}

/** Depth first over every issuer by name, anchors before intermediates. */
class PathSearch {
  readonly #options: ChainOptions;
  readonly #names: NameBudget = { comparisons: 0 };
  #signatureChecks = 0;
  #best: { readonly depth: number; readonly weight: number; readonly error: AppError } | undefined;

  constructor(options: ChainOptions) {
    this.#options = options;
  }

  run(): readonly Certificate[] {
    const { leaf } = this.#options;
    const path = this.#extend([leaf]);
    if (path !== undefined) return path;
    throw (
      this.#best?.error ??
      pkiErrors.error('chain_untrusted', `expected a path from ${leaf.label} to an anchor, got none`)
    );
  }

  #extend(path: readonly Certificate[]): readonly Certificate[] | undefined {
    const top = path.at(-1);
    if (top === undefined) return undefined;
    const { bundle, intermediates } = this.#options;
    const anchors = bundle.anchors.filter((anchor) => anchor.subjectDer.equals(top.issuerDer));
    for (const anchor of anchors) if (this.#allows(anchor, path, top)) return [...path, anchor];
    const issuers = intermediates.filter(
      (each) => each.subjectDer.equals(top.issuerDer) && !isOn(path, each),
    );
    for (const issuer of issuers) {
      const found = this.#allows(issuer, path, top) ? this.#extend([...path, issuer]) : undefined;
      if (found !== undefined) return found;
    }
    if (anchors.length + issuers.length === 0) this.#remember(path.length, 2, this.#noIssuer(top));
    return undefined;
  }

  /**
   * Whether `issuer` may stand above `path`. The signature comes before the rules, so that what is told about a candidate is told
   * about the real issuer and not about another one of the same name.
   */
  #allows(issuer: Certificate, path: readonly Certificate[], top: Certificate): boolean {
    const { at, usage } = this.#options;
    const casBelow = path.length - (usage === 'ca' ? 0 : 1);
    let weight = 1;
    try {
      checkAlgorithm(top, issuer.publicKey);
      weight = 0;
      this.#checkSignature(issuer, top);
      weight = 3;
      checkAny(issuer, at, usage);
      checkCa(issuer, casBelow);
      if (casBelow > MAX_INTERMEDIATES) this.#tooLong();
      checkNames(issuer, path, this.#names);
      return true;
    } catch (error) {
      if (!isAppError(error) || error.code === 'chain_too_complex') throw error;
      this.#remember(path.length, weight, error);
      return false;
    }
  }

  #checkSignature(issuer: Certificate, top: Certificate): void {
    this.#signatureChecks += 1;
    if (this.#signatureChecks > MAX_SIGNATURE_CHECKS) {
      throw pkiErrors.error(
        'chain_too_complex',
        `expected a path within ${MAX_SIGNATURE_CHECKS} signature checks, got none`,
      );
    }
    if (!top.isSignedBy(issuer.publicKey)) {
      throw pkiErrors.error(
        'chain_signature_invalid',
        `expected ${top.label} to be signed by ${issuer.label}, got a signature of another key`,
      );
    }
  }

  /** Of several failures the one furthest up is told; at the same height, the one that says most. */
  #remember(depth: number, weight: number, error: AppError): void {
    const best = this.#best;
    if (best === undefined || depth > best.depth || (depth === best.depth && weight > best.weight)) {
      this.#best = { depth, weight, error };
    }
  }

  #tooLong(): never {
    throw pkiErrors.error(
      'chain_path_too_long',
      `expected at most ${MAX_INTERMEDIATES} CAs between ${this.#options.leaf.label} and its anchor, got more`,
    );
  }

  #noIssuer(top: Certificate): AppError {
    const anchors = this.#options.bundle.anchors.map((anchor) => anchor.subject).join('; ');
    return pkiErrors.error(
      'chain_untrusted',
      `expected ${top.issuer}, the issuer of ${top.label}, among the intermediates or the anchors, got only the anchors ${anchors}`,
    );
  }
}

/** A CA that is on the path already, also under another certificate for the same name and key, would only make a loop. */
function isOn(path: readonly Certificate[], candidate: Certificate): boolean {
  return path.some(
    (each) => each.subjectDer.equals(candidate.subjectDer) && each.publicKey.equals(candidate.publicKey),
  );
}
