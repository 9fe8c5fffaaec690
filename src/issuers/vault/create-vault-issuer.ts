import { issuerErrors } from '../errors.ts';
import type { Issuer } from '../issuer.ts';

export async function createVaultIssuer(): Promise<Issuer> {
  return Promise.reject(
    issuerErrors.error('issuer_unavailable', 'expected an issuer for Vault, got none yet'),
  );
}
