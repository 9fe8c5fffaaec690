import { encodePem } from '../../pki/pem.ts';
import type { IssueRequest } from '../issuer.ts';

export interface SignTiming {
  readonly now: Date;
  /** Milliseconds that the clock of Vault is ahead. */
  readonly aheadMs: number;
  /** How long after it was asked Vault may sign. */
  readonly timeoutMs: number;
  /** End of the CA, where it is known. */
  readonly caEnd: Date | undefined;
}

/** The life that is asked for ends this share of it earlier, at most: the engine counts it from when it signs, on its own clock. */
const greatestMargin = 0.1;
/** The engine's clock is known to a second. */
const clockMs = 1_000;

/** How much earlier than allowed a certificate ends that is signed at once. */
export function marginMs(lifetimeMs: number, timeoutMs: number): number {
  return Math.min(timeoutMs + clockMs, lifetimeMs * greatestMargin);
}

/** The body for `sign/<role>`, under the names of its parameters. */
export interface SignRequest {
  readonly csr: string;
  readonly common_name: '';
  readonly exclude_cn_from_sans: true;
  readonly alt_names: string;
  readonly uri_sans?: string;
  readonly ttl: string;
  readonly format: 'pem';
}

/** The names are parameters, for roles that do not take them from the signing request. */
export function signRequest({ csr, dnsName, uri, notAfter }: IssueRequest, timing: SignTiming): SignRequest {
  const { now, aheadMs, timeoutMs, caEnd } = timing;
  // Asked for more than the CA has left, the engine refuses instead of signing for less, unless it was told otherwise.
  const end = caEnd !== undefined && caEnd < notAfter ? caEnd : notAfter;
  const lifetimeMs = end.getTime() - now.getTime() - aheadMs;
  const seconds = Math.floor((lifetimeMs - marginMs(lifetimeMs, timeoutMs)) / 1000);
  return {
    csr: encodePem('CERTIFICATE REQUEST', csr.der),
    common_name: '',
    exclude_cn_from_sans: true,
    alt_names: dnsName,
    ...(uri !== undefined && { uri_sans: uri }),
    ttl: `${Math.max(1, seconds)}s`,
    format: 'pem',
  };
}
