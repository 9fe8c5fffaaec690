import { kubeErrors } from '../../kube/errors.ts';
import { pkiErrors } from '../../pki/errors.ts';
import type { ErrorEntry } from '../../runtime/errors.ts';
import { errorCode, errorMessage, isAppError } from '../../runtime/errors.ts';
import { runtimeErrors } from '../../runtime/runtime-errors.ts';
import { certManagerErrors } from '../cert-manager/errors.ts';
import { issuerErrors } from '../errors.ts';
import { vaultErrors } from '../vault/errors.ts';
import { failed, type Check, type Finding } from './finding.ts';

const catalogues = [vaultErrors, certManagerErrors, issuerErrors, kubeErrors, pkiErrors, runtimeErrors];

const helps = new Map<string, string>(
  catalogues.flatMap(({ codes }) =>
    Object.entries<ErrorEntry>(codes).map(([code, { help }]): [string, string] => [code, help]),
  ),
);

/** What docs/errors.md says about an error; the error's own words where it has no entry. */
export function helpOf(error: unknown): string {
  return helps.get(errorCode(error) ?? '') ?? errorMessage(error);
}

/** The finding for a check that ended with an error. A fault of our own is none, and is thrown on. */
export function failure(check: Check, error: unknown, concerns?: string): Finding {
  if (!isAppError(error)) throw error;
  return failed(check, fullMessage(error), { concerns, remedy: helpOf(error) });
}

/** Whoever runs the doctor is told what the log of the identity service would have. */
export function fullMessage(error: unknown): string {
  const [message, cause] = [errorMessage(error), Error.isError(error) ? error.cause : undefined];
  const hidden = errorCode(error) === 'issued_certificate_refused' && isAppError(cause);
  return hidden ? errorMessage(cause) : message;
}
