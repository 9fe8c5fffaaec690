import type { ValuesOf } from '../runtime/env.ts';
import type { issuerSettings } from './settings.ts';

/** What the configured issuer has in the control namespace. */
export interface IssuerObjects {
  /** The Secret of the CA that signs here. */
  readonly secret: string | undefined;
  /** Whether it makes a `CertificateRequest` for each certificate, which carries the names of the signing request. */
  readonly requests: boolean;
}

type IssuerConfig = ValuesOf<typeof issuerSettings>;

export function issuerObjects(config: IssuerConfig): IssuerObjects {
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

/** The Secrets of every CA that signs here: that of the issuer, and those of its fallbacks. */
export function issuerSecrets(config: IssuerConfig): string[] {
  const all = [config, ...config.issuerFallbacks.map((each) => asFallback(config, each))];
  const secrets = all.map((each) => issuerObjects(each).secret).filter((name) => name !== undefined);
  return [...new Set(secrets)];
}

/** The settings of a fallback: its own, without a mode. */
export function asFallback(config: IssuerConfig, issuer: IssuerConfig['issuer']): IssuerConfig {
  return { ...config, issuer, issuerMode: undefined };
}
