import { errorCode, isAppError } from '../../../runtime/errors.ts';
import { vaultErrors } from '../errors.ts';
import { failure } from '../../doctor/failure.ts';
import { failed, passed, skipped, warned, type Check, type Finding } from '../../doctor/finding.ts';
import type { VaultClient, VaultHealth } from '../vault-client.ts';

export interface ReachOptions {
  readonly client: Pick<VaultClient, 'health' | 'aheadMs'>;
  readonly address: URL;
  readonly caFile: string | undefined;
  readonly signal: AbortSignal;
}

const reach: Check = { check: 'vault.reach', title: 'Vault answers' };
const tls: Check = { check: 'vault.tls', title: 'its certificate is verified' };
const clocks: Check = { check: 'vault.clock', title: 'its clock agrees with this one' };

const ofTls = /^vault_(certificate_|tls_)/;
const clocksApartMs = 20_000;

/** The connection to Vault, and the state of the server. */
export async function examineReach(options: ReachOptions): Promise<Finding[]> {
  const { client, address, signal } = options;
  let health: VaultHealth;
  try {
    health = await client.health(signal);
  } catch (error) {
    if (!isAppError(error)) throw error;
    if (!ofTls.test(errorCode(error) ?? '')) return [failure(reach, error, 'address')];
    return [passed(reach, `there is a server at ${address.origin}`), failure(tls, error, 'tls')];
  }
  return [stateFinding(health, address), tlsFinding(options), clockFinding(client.aheadMs)];
}

function stateFinding({ initialised, sealed, standby, version }: VaultHealth, { origin }: URL): Finding {
  const code = !initialised ? 'vault_not_initialised' : sealed ? 'vault_sealed' : undefined;
  if (code !== undefined) {
    const seen = `${origin} is ${sealed && initialised ? 'sealed' : 'not initialised'}`;
    return failed(reach, seen, { concerns: 'server', remedy: vaultErrors.codes[code].help });
  }
  return passed(reach, `${origin}, version ${version}, unsealed${standby ? ', a standby' : ''}`);
}

function tlsFinding({ address, caFile }: ReachOptions): Finding {
  if (address.protocol === 'https:') return passed(tls, `by ${caFile ?? 'the roots of the system'}`);
  return warned(tls, 'there is none: whoever is on the way reads the token and answers in place of Vault', {
    concerns: 'tls',
    remedy:
      'Give Vault a certificate, let KEDGE_VAULT_ADDR begin with https://, and put the CA into KEDGE_VAULT_CA_FILE.',
  });
}

function clockFinding(aheadMs: number): Finding {
  const seconds = Math.round(aheadMs / 1000);
  const seen = seconds === 0 ? 'to the second' : `${Math.abs(seconds)}s ${seconds > 0 ? 'ahead' : 'behind'}`;
  if (Math.abs(aheadMs) <= clocksApartMs) return passed(clocks, seen);
  return warned(clocks, seen, {
    concerns: 'clock',
    remedy:
      'Set the clocks of both machines (NTP): certificates begin in the future, or end sooner than they say.',
  });
}

/** What cannot be looked at without a server. */
export function notReached(): Finding {
  return skipped({ check: 'vault.rest', title: 'all the rest' }, 'Vault cannot be asked');
}
