import { issuerErrors } from '../errors.ts';

/** A CA as its owner keeps it. */
export interface CaMaterial {
  /** The CA's certificate first, then those above it. */
  readonly certificates: string;
  readonly privateKey: string;
}

/** Certificate and key as `kubernetes.io/tls` Secrets name them, and as Linkerd's own scheme does (contract 7.1). */
export const caKeyNames = [
  { certificates: 'tls.crt', privateKey: 'tls.key' },
  { certificates: 'crt.pem', privateKey: 'key.pem' },
] as const;

/** Every name under which a part of a CA may be kept. */
export const caNames: readonly string[] = caKeyNames.flatMap((scheme) => Object.values(scheme));

/**
 * The material under whichever names it is kept.
 *
 * @param where for the message
 * @throws AppError `issuer_files_incomplete`
 */
export function readCaMaterial(where: string, text: (name: string) => string | undefined): CaMaterial {
  const { certificates, privateKey } = namesInUse(where, text);
  const certificatesText = text(certificates);
  const privateKeyText = text(privateKey);
  if (certificatesText === undefined) throw incomplete(where, `no ${certificates}`);
  if (privateKeyText === undefined) throw incomplete(where, `no ${privateKey}`);
  return { certificates: certificatesText, privateKey: privateKeyText };
}

/** The names that are begun to be used; throws where none or both are. */
export function namesInUse(
  where: string,
  text: (name: string) => string | undefined,
): (typeof caKeyNames)[number] {
  const begun = caKeyNames.filter((scheme) => Object.values(scheme).some((name) => text(name) !== undefined));
  const [scheme] = begun;
  if (scheme !== undefined && begun.length === 1) return scheme;
  throw incomplete(where, begun.length > 1 ? 'both' : 'neither');
}

function incomplete(where: string, got: string): Error {
  const message = `expected tls.crt and tls.key, or crt.pem and key.pem, in ${where}, got ${got}`;
  return issuerErrors.error('issuer_files_incomplete', message);
}
