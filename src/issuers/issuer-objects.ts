import type { ValuesOf } from '../runtime/env.ts';
import type { issuerSettings } from './settings.ts';

/** What the configured issuer has in the control namespace. */
export interface IssuerObjects {
  /** The Secret of the CA that signs here. */
  readonly secret: string | undefined;
  /** Whether it makes a `CertificateRequest` for each certificate, which carries the names of the signing request. */
  readonly requests: boolean;
}

export function issuerObjects(config: ValuesOf<typeof issuerSettings>): IssuerObjects {
  const { issuer, issuerMode, issuerLocalSecret, certManagerSecret } = config;
  switch (issuer) {
    case 'local':
      return { secret: issuerLocalSecret, requests: false };
    case 'cert-manager':
      if (issuerMode === 'direct') return { secret: undefined, requests: true };
      return { secret: certManagerSecret, requests: false };
    case 'vault':
      return { secret: undefined, requests: false };
  }
}
