import { isAppError } from '../runtime/errors.ts';
import type { Certificate } from './certificate.ts';
import { TrustBundle } from './trust-bundle.ts';
import type { ChainOptions } from './verify-chain.ts';
import { verifyChain } from './verify-chain.ts';

/** A way from a certificate to one anchor. */
export interface AnchorPath {
  /** The certificate first, the anchor last; a single one for a CA that is an anchor itself. */
  readonly path: readonly Certificate[];
  readonly anchor: Certificate;
  /** The time in which every certificate on the path is valid. */
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * A path to each anchor that there is one to, the path that lasts longest first: while one anchor replaces another, peers
 * hold one of them or both, and each kind of peer must be able to go its own way. An anchor that another anchor signed
 * counts among the intermediates, for peers that hold only the other.
 *
 * Throws what `verifyChain` throws when there is no path to any.
 */
export function pathsToAnchors(options: ChainOptions): readonly AnchorPath[] {
  const { bundle } = options;
  if (bundle.anchors.length === 1) return [measured(verifyChain(options))];
  const signed = bundle.anchors.filter((anchor) => !anchor.subjectDer.equals(anchor.issuerDer));
  const intermediates = [...options.intermediates, ...signed];
  const found = bundle.anchors.flatMap((anchor) =>
    pathWithin({ ...options, intermediates, bundle: TrustBundle.of([anchor]) }),
  );
  // Where there is none, the search over all anchors at once tells best what is in the way.
  if (found.length === 0) return [measured(verifyChain(options))];
  return found.toSorted((a, b) => b.notAfter.getTime() - a.notAfter.getTime());
}

function pathWithin(options: ChainOptions): readonly AnchorPath[] {
  try {
    return [measured(verifyChain(options))];
  } catch (error) {
    if (isAppError(error)) return [];
    throw error;
  }
}

function measured(path: readonly Certificate[]): AnchorPath {
  const anchor = path.at(-1);
  if (anchor === undefined) throw new TypeError('expected a path, got an empty one');
  return {
    path,
    anchor,
    notBefore: new Date(Math.max(...path.map(({ notBefore }) => notBefore.getTime()))),
    notAfter: new Date(Math.min(...path.map(({ notAfter }) => notAfter.getTime()))),
  };
}
