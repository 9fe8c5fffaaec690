import { errorMessage } from '../../../runtime/errors.ts';
import { helpOf } from '../../doctor/failure.ts';
import type { Advice, Finding } from '../../doctor/finding.ts';
import type { VaultSetup } from './vault-setup.ts';

interface Cause {
  readonly said: RegExp;
  /** Of the role. */
  readonly field: string;
  readonly set: string;
}

const issuerUnknown = /unable to find (PKI )?issuer/i;

/** What Vault says, or which rule its certificate breaks, and the field of the role that is behind it. */
const causes: readonly Cause[] = [
  { said: /requires keys of type|unsupported key type/i, field: 'key_type', set: 'key_type=ec' },
  { said: /requires a minimum of|key (size|bits)/i, field: 'key_bits', set: 'key_bits=0' },
  { said: /require_cn|common_name field is required/i, field: 'require_cn', set: 'require_cn=false' },
  { said: /URI (Subject Alternative|SAN)/i, field: 'allowed_uri_sans', set: 'allowed_uri_sans=...' },
  {
    said: /(subject alternate name|common name) .*not allowed/i,
    field: 'allowed_domains',
    set: 'allowed_domains=... allow_subdomains=true',
  },
  { said: /rule "names"/, field: 'use_csr_sans', set: 'use_csr_sans=false use_csr_common_name=false' },
  { said: /rule "key-usage"/, field: 'key_usage', set: 'key_usage=DigitalSignature' },
  {
    said: /rule "extended-key-usage"/,
    field: 'server_flag',
    set: 'server_flag=true client_flag=true code_signing_flag=false email_protection_flag=false ext_key_usage="" ext_key_usage_oids=""',
  },
  { said: /rule "algorithm"/, field: 'signature_bits', set: 'signature_bits=0 use_pss=false' },
  { said: /either ttl or not_after/i, field: 'not_after', set: 'not_after=""' },
  { said: issuerUnknown, field: 'issuer_ref', set: 'issuer_ref=default' },
];

/** What to do about the setting that names the issuer; undefined where something else is wrong. */
export function issuerAdvice(
  error: unknown,
  { mount, issuer }: Pick<VaultSetup, 'mount' | 'issuer'>,
): Advice | undefined {
  if (issuer === undefined || !issuerUnknown.test(errorMessage(error))) return undefined;
  return {
    concerns: 'KEDGE_VAULT_PKI_ISSUER',
    remedy: `Set KEDGE_VAULT_PKI_ISSUER to a name or an id out of \`vault list ${mount}/issuers\`, or leave it unset for the issuer of the role.`,
  };
}

/**
 * What to change where our own name is not signed as it should be.
 *
 * @param role what was found about the role, which is more exact where it could be read
 */
export function signAdvice(error: unknown, setup: VaultSetup, role: readonly Finding[] = []): Advice {
  const known = role.find(({ result }) => result === 'fail');
  if (known !== undefined) return { concerns: known.concerns, remedy: 'Mend the role first.' };
  const advice = issuerAdvice(error, setup);
  if (advice !== undefined) return advice;
  const { rolePath, rules, mode } = setup;
  const message = errorMessage(error);
  const [first] = rules;
  if (first !== undefined && /status 403/.test(message)) {
    const sent = Object.keys(first.parameters ?? {}).join(', ');
    return {
      concerns: `policy ${first.path}`,
      remedy: `Give the policy "update" on ${first.path} and, where it lists them, allowed_parameters with all that are sent (${sent}): \`kedge doctor issuer --print\` prints it.`,
    };
  }
  const cause = causes.find(({ said }) => said.test(message));
  if (cause === undefined || mode !== 'direct') return { remedy: helpOf(error) };
  return {
    concerns: `role ${cause.field}`,
    remedy: `vault patch ${rolePath} ${cause.set} (\`kedge doctor issuer --print\` prints the values)`,
  };
}
