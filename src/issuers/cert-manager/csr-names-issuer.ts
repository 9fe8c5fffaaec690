import type { Latest } from '../../runtime/latest.ts';
import type { IssuedCertificate, Issuer, IssueRequest, IssuerState } from '../issuer.ts';

/**
 * Stands around an issuer whose CA signs the names of the signing request itself, which were found to be those of the identity:
 * without the URI in the request, none can be in the certificate, and none is expected.
 */
export class CsrNamesIssuer implements Issuer {
  readonly #inner: Issuer;

  constructor(inner: Issuer) {
    this.#inner = inner;
  }

  get state(): Latest<IssuerState> {
    return this.#inner.state;
  }

  checkOpen(goodUntil?: Date): void {
    this.#inner.checkOpen?.(goodUntil);
  }

  issue({ uri, ...request }: IssueRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    const asked = uri !== undefined && request.csr.sans.uri.includes(uri);
    return this.#inner.issue({ ...request, ...(asked && { uri }) }, signal);
  }
}
