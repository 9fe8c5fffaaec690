import type { CaKeyPair } from '../pki/ca-key-pair.ts';
import type { Certificate } from '../pki/certificate.ts';
import type { Csr } from '../pki/csr.ts';
import type { WorkloadIdentity } from '../pki/workload-identity.ts';
import type { Latest } from '../runtime/latest.ts';

/** A certificate that has been decided on: whose, for which key, under which names, from when until when. */
export interface IssueRequest {
  readonly identity: WorkloadIdentity;
  /** Verified; for its key, and for backends that want the request itself. */
  readonly csr: Csr;
  readonly dnsName: string;
  readonly uri?: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** End of the certificate that the workload is known to hold; missing where none is known. The sooner, the more urgent. */
  readonly goodUntil?: Date;
}

export interface IssuedCertificate {
  readonly leaf: Certificate;
  /**
   * What stands above the leaf. Of an issuer's answer in any order, with whatever else came along; behind the checks the
   * issuer's certificate first, then those above it (contract 1.6), never empty.
   */
  readonly intermediates: readonly Certificate[];
}

export type IssuerState =
  | {
      readonly state: 'ready';
      /** The shortest validity on the way from the issuer to its anchor: no leaf can outlive its end. */
      readonly notBefore: Date;
      readonly notAfter: Date;
      /** Fingerprint of the CA's certificate, where the issuer knows it before it signs. */
      readonly fingerprint?: string;
      /** It signs, but something is wrong that an operator should see to. */
      readonly degraded?: string;
      /** Each certificate is asked of a CA across the network: nothing is signed while that is away. */
      readonly asksCa?: true;
      readonly outage?: IssuerOutage;
    }
  | { readonly state: 'unavailable'; readonly reason: string };

/** The CA behind an issuer does not answer. */
export interface IssuerOutage {
  readonly since: Date;
  /** What the calls failed with when it began. */
  readonly reason: string;
  /** Which issuer signs meanwhile for all that is known, if any can; the rest of the state is then that of this one. */
  readonly standIn?: string;
}

/** Signs certificates of workloads. */
export interface Issuer {
  /**
   * Signs the CSR's key under the names of the request and no others.
   *
   * Rejects with an error of kind `unavailable` when it cannot sign now, `failed_precondition` when the CA refuses this request
   * for good, `internal` when what came back is wrong. One that asks a CA lets the errors of reading the answer pass as they
   * are (`certificate_malformed` and the like): around it they count as a wrong answer.
   */
  issue(request: IssueRequest, signal: AbortSignal): Promise<IssuedCertificate>;
  readonly state: Latest<IssuerState>;
  /**
   * Throws what `issue` would reject with whoever asks, so that nothing is spent on a request in vain. `goodUntil` is
   * as in a request, as far as it is known already.
   *
   * @throws AppError of kind `unavailable`
   */
  checkOpen?(goodUntil?: Date): void;
}

/** A CA that may sign here, and how long what it signs can last. */
export interface IntermediateCa {
  readonly pair: CaKeyPair;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Yields the CA key pair that leaves are signed with: a directory, later a Secret, Vault or cert-manager. */
export interface IntermediateSource {
  readonly current: Latest<IntermediateCa | undefined>;
  /** Why the newest material is not in use; the last good one is, as long as it is good. */
  readonly problem: Latest<string | undefined>;
}
