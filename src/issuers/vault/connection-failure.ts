import type { AppError } from '../../runtime/errors.ts';
import { errorCode, errorMessage, isAppError } from '../../runtime/errors.ts';
import { vaultErrors } from './errors.ts';

type Code = keyof typeof vaultErrors.codes;

const untrusted = [
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_UNTRUSTED',
  'CERT_SIGNATURE_FAILURE',
  'INVALID_CA',
];

const codes: Readonly<Record<string, Code>> = {
  ...Object.fromEntries(untrusted.map((code) => [code, 'vault_certificate_untrusted'])),
  ERR_TLS_CERT_ALTNAME_INVALID: 'vault_certificate_name',
  ENOTFOUND: 'vault_name_unknown',
  EAI_AGAIN: 'vault_name_unknown',
  EAI_FAIL: 'vault_name_unknown',
  EPROTO: 'vault_tls_failed',
};

/** The error for a call that got no whole answer. An abort and errors of ours pass as they are. */
export function connectionFailure(error: unknown, path: string, origin: string): AppError {
  if (isAppError(error)) return error;
  const code = errorCode(error) ?? '';
  const known =
    codes[code] ?? (/^(CERT_|ERR_SSL|ERR_TLS|HOSTNAME_)/.test(code) ? 'vault_tls_failed' : undefined);
  const message = `expected ${origin} to answer ${path}, got ${code === '' ? '' : `${code}: `}${oneLine(error)}`;
  if (code === 'HPE_INVALID_CONSTANT' || code.startsWith('HPE_')) {
    return vaultErrors.error('vault_answer_malformed', `expected ${origin} to speak HTTP, got ${code}`);
  }
  if (
    known === 'vault_tls_failed' &&
    /wrong version number|packet length too long/.test(errorMessage(error))
  ) {
    const plain = `expected ${origin} to speak TLS, got an answer without it; is its address http://?`;
    return vaultErrors.error(known, plain, { cause: error });
  }
  return vaultErrors.error(known ?? 'vault_unreachable', message, { cause: error });
}

/** OpenSSL's messages have several lines, and name its own source files. */
function oneLine(error: unknown): string {
  return errorMessage(error).split('\n', 1)[0]?.slice(0, 300) ?? '';
}
