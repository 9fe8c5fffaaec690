import type { TrustBundle } from '../pki/trust-bundle.ts';
import type { Metrics } from '../runtime/metrics.ts';

/** What one workload said last: which bundle it verifies peers with, which anchor its own leaf chains to. */
export interface BundleReport {
  readonly bundle: string;
  readonly leafAnchor: string;
}

/** Hashes that workloads may report by their own name in a metric; any other is counted as unknown. */
const maxKnown = 32;
const nothingYet: BundleReport = { bundle: '', leafAnchor: '' };

/**
 * Counts, over the open trust-bundle streams, who uses which bundle and whose leaf chains to which anchor: what has
 * to be zero before an anchor may go. Only hashes that were published here become labels; a peer cannot make up more.
 */
export class BundleCensus {
  readonly #streams = new Set<{ report: BundleReport }>();
  readonly #published = new Set<string>();

  constructor(metrics: Metrics) {
    metrics.gauge(
      'kedge_trust_bundle_streams',
      'Open trust-bundle streams by SHA-256 of the bundle in use (none: not said yet; unknown: never published here).',
      ['bundle'],
      (gauge) => this.#count('bundle').forEach((count, bundle) => gauge.set({ bundle }, count)),
    );
    metrics.gauge(
      'kedge_trust_leaf_anchor_streams',
      'Open trust-bundle streams by SHA-256 of the anchor that the leaf of the workload chains to.',
      ['anchor'],
      (gauge) => this.#count('leafAnchor').forEach((count, anchor) => gauge.set({ anchor }, count)),
    );
  }

  /** From now on the hashes of this bundle and of its anchors have names. */
  publish({ sha256, anchors }: TrustBundle): void {
    for (const hash of [sha256, ...anchors.map(({ fingerprint }) => fingerprint)]) {
      this.#published.delete(hash);
      this.#published.add(hash);
    }
    for (const oldest of this.#published) {
      if (this.#published.size <= maxKnown) return;
      this.#published.delete(oldest);
    }
  }

  /** A stream was opened; `leave` when it ends. */
  enter(): { report(report: BundleReport): void; leave(): void } {
    const stream = { report: nothingYet };
    this.#streams.add(stream);
    return {
      report: (report) => {
        stream.report = report;
      },
      leave: () => void this.#streams.delete(stream),
    };
  }

  #count(of: keyof BundleReport): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { report } of this.#streams) {
      const label = this.#labelOf(report[of]);
      counts.set(label, (counts.get(label) ?? 0) + 1);
    }
    return counts;
  }

  #labelOf(hash: string): string {
    if (hash === '') return 'none';
    return this.#published.has(hash) ? hash : 'unknown';
  }
}
