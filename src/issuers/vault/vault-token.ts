import { vaultErrors } from './errors.ts';
import { fieldsOf } from './vault-client.ts';

/** A token and how long it is good for, counted from the answer that brought it. */
export interface VaultToken {
  readonly value: string;
  /** Milliseconds; Infinity for one that does not end. */
  readonly leaseMs: number;
  readonly renewable: boolean;
  /** Whether it was made for this process, which may then revoke it. */
  readonly own: boolean;
}

/** The token in the answer to a log-in or a renewal; throws `vault_answer_malformed`. */
export function tokenOf(answer: unknown, path: string): VaultToken {
  const { client_token: value, lease_duration: seconds, renewable } = fieldsOf(fieldsOf(answer)['auth']);
  if (typeof value !== 'string' || !isHeaderValue(value) || typeof seconds !== 'number' || !(seconds >= 0)) {
    const message = `expected a token and its life in the answer to ${path}, got none`;
    throw vaultErrors.error('vault_answer_malformed', message);
  }
  return {
    value,
    leaseMs: seconds === 0 ? Infinity : seconds * 1000,
    renewable: renewable === true,
    own: true,
  };
}

/** What cannot stand in a header would be refused later, with an error that shows it. */
export function isHeaderValue(text: string): boolean {
  return /^[\x21-\x7e]{1,16384}$/.test(text);
}
