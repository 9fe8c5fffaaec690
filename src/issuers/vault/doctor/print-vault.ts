import type { ExaminedMesh } from '../../doctor/needs.ts';
import type { VaultIssuerConfig } from '../create-vault-issuer.ts';
import { roleValues, vaultSetup, type PolicyRule, type VaultSetup } from './vault-setup.ts';

/** A shell script that makes what suffices in Vault or OpenBao, for `sh`; what only the owner can decide stands in comments. */
export function printVault(config: VaultIssuerConfig, mesh: ExaminedMesh): string {
  const setup = vaultSetup(config, mesh);
  return [
    ...head(config, setup),
    ...policyLines(setup),
    ...(setup.mode === 'direct' ? roleLines(setup, mesh) : []),
    ...loginLines(config, setup, mesh),
  ].join('\n');
}

function head(
  { vaultAddress, vaultNamespace, vaultPkiMount }: VaultIssuerConfig,
  setup: VaultSetup,
): string[] {
  const { mode, mount } = setup;
  return [
    '#!/bin/sh',
    `# The least that Kedge needs of Vault or OpenBao at ${vaultAddress.origin}, mode "${mode}".`,
    '# Run it with the rights of an administrator: VAULT_ADDR, VAULT_CACERT and VAULT_TOKEN tell the client where and as whom.',
    'set -eu',
    'vault=$(command -v vault || command -v bao)',
    ...(vaultNamespace === undefined ? [] : [`export VAULT_NAMESPACE='${vaultNamespace}'`]),
    '',
    '# Once, where there is no PKI engine with a CA yet:',
    `#   "$vault" secrets enable -path=${vaultPkiMount} pki`,
    `#   "$vault" secrets tune -max-lease-ttl=87600h ${mount}`,
    `#   "$vault" write ${mount}/issuers/import/bundle pem_bundle=@ca.pem`,
    '',
  ];
}

function policyLines({ policy, rules }: VaultSetup): string[] {
  return [`"$vault" policy write ${policy} - <<'POLICY'`, policyText(rules), 'POLICY', ''];
}

/** A policy with these rules and nothing else, in HCL. */
export function policyText(rules: readonly PolicyRule[]): string {
  return rules.flatMap(ruleLines).join('\n');
}

function ruleLines({ path, capability, why, parameters, allRequired }: PolicyRule): string[] {
  if (parameters === undefined) return [`# ${why}`, `path "${path}" { capabilities = ["${capability}"] }`];
  const given = Object.entries(parameters);
  const required = JSON.stringify(given.map(([name]) => name));
  return [
    `# ${why}`,
    `path "${path}" {`,
    `  capabilities = ["${capability}"]`,
    ...(allRequired ? [`  required_parameters = ${required}`] : []),
    '  allowed_parameters = {',
    ...given.map(([name, values]) => `    "${name}" = ${JSON.stringify(values)}`),
    '  }',
    '}',
  ];
}

function roleLines({ rolePath }: VaultSetup, mesh: ExaminedMesh): string[] {
  return command(`"$vault" write ${rolePath}`, roleValues(mesh));
}

const tokenFields = { token_no_default_policy: 'true', token_ttl: '1h' } as const;

function loginLines(config: VaultIssuerConfig, { policy }: VaultSetup, mesh: ExaminedMesh): string[] {
  const { vaultAuth: method, vaultAuthMount: mount = method, vaultAuthRole: role } = config;
  const { controlNamespace: namespace, serviceAccount: account } = mesh;
  const token = { token_policies: policy, ...tokenFields };
  const enable = [
    '# Once, where this way to log in is not there yet:',
    `#   "$vault" auth enable -path=${mount} ${method}`,
  ];
  switch (method) {
    case 'kubernetes':
      return [
        ...enable,
        `#   "$vault" write auth/${mount}/config kubernetes_host=https://kubernetes.default.svc`,
        ...command(`"$vault" write auth/${mount}/role/${role}`, {
          bound_service_account_names: account,
          bound_service_account_namespaces: namespace,
          audience: 'vault',
          ...token,
        }),
      ];
    case 'jwt':
      return [
        ...enable,
        `#   "$vault" write auth/${mount}/config oidc_discovery_url=ISSUER   (or jwks_url, or jwt_validation_pubkeys)`,
        ...command(`"$vault" write auth/${mount}/role/${role}`, {
          role_type: 'jwt',
          user_claim: 'sub',
          bound_audiences: 'vault',
          bound_subject: `system:serviceaccount:${namespace}:${account}`,
          ...token,
        }),
      ];
    case 'approle':
      return [
        ...enable,
        ...command(`"$vault" write auth/${mount}/role/${role}`, token),
        '# What to log in with; keep both out of logs and of the history of the shell:',
        `#   "$vault" read -field=role_id auth/${mount}/role/${role}/role-id > role-id`,
        `#   "$vault" write -f -field=secret_id auth/${mount}/role/${role}/secret-id > secret-id`,
        '',
      ];
    case 'cert':
      return [
        ...enable,
        '# clients.pem: the CA of the client certificate. Its common name is the one that may log in.',
        ...command(`"$vault" write auth/${mount}/certs/${role}`, {
          certificate: '@clients.pem',
          allowed_common_names: account,
          ...token,
        }),
      ];
    case 'token-file':
      return [
        '# Whatever writes the token (Vault Agent) logs in under a role with token_policies',
        `# "${policy}" and token_no_default_policy=true. To try it by hand:`,
        `#   (umask 077; "$vault" token create -policy=${policy} -no-default-policy -period=24h -field=token > token)`,
        '',
      ];
  }
}

function command(first: string, values: Readonly<Record<string, string>>): string[] {
  const given = Object.entries(values).map(([name, value]) => `  ${name}='${value}'`);
  return [[first, ...given].join(' \\\n'), ''];
}
