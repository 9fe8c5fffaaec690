/** So many workloads are hardly refused one by one, with nothing signed in between. */
const several = 3;

/**
 * Whose requests failed since one was signed. cert-manager fails a request for good both when the CA behind an issuer is away for a
 * moment and when it does not want this one, and says which in words alone: only who else fails tells them apart.
 */
export class FailedRequests {
  readonly #workloads = new Set<string>();

  /** Counts a workload once, however often it comes back; gives whether so many failed that it is about the CA. */
  add(dnsName: string): boolean {
    if (this.#workloads.size < several) this.#workloads.add(dnsName);
    return this.#workloads.size >= several;
  }

  signed(): void {
    this.#workloads.clear();
  }
}
