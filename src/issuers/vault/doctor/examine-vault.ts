import { errorCode } from '../../../runtime/errors.ts';
import { LatestValue } from '../../../runtime/latest.ts';
import { anyFailed, skipped, type Finding } from '../../doctor/finding.ts';
import type { ExaminationNeeds } from '../../doctor/needs.ts';
import { quietChecked, quietLog } from '../../doctor/quiet-issuer.ts';
import { connectVault, type ConnectedVault } from '../connect-vault.ts';
import type { VaultIssuerConfig } from '../create-vault-issuer.ts';
import { VaultIssuer } from '../vault-issuer.ts';
import { probeIntermediates } from './intermediate-probes.ts';
import { doctorLogin, examineLogin } from './log-in.ts';
import { examineMountCa, examineRole } from './mount.ts';
import { examineReach, notReached } from './reach.ts';
import { examineRights } from './rights.ts';
import { probeSigning } from './sign-probes.ts';
import { vaultSetup, type VaultSetup } from './vault-setup.ts';

export interface VaultExamination extends ExaminationNeeds {
  readonly config: VaultIssuerConfig;
  /** A token of whoever runs the doctor, in place of the log-in of the identity service. */
  readonly ownToken?: string | undefined;
}

/** Looks at Vault or OpenBao as the identity service would use it; nothing is left there but what the log-in makes. */
export async function examineVault(examination: VaultExamination): Promise<Finding[]> {
  const { config, clock } = examination;
  const open = new AbortController();
  try {
    const connected = await connectVault(config, { clock, signal: open.signal });
    return await examine(examination, connected);
  } finally {
    open.abort();
  }
}

async function examine(examination: VaultExamination, connected: ConnectedVault): Promise<Finding[]> {
  const { config, mesh, ownToken, signal } = examination;
  const { client, paths } = connected;
  const { vaultAddress: address, vaultCaFile: caFile } = config;
  const reached = await examineReach({ client, address, caFile, signal });
  if (anyFailed(reached)) return [...reached, notReached()];
  const setup = vaultSetup(config, mesh);
  const ca = await examineMountCa(client, paths, setup, examination);
  const way = doctorLogin(client, config, ownToken);
  const { findings, token } = await examineLogin(client, way, ownToken !== undefined, signal);
  if (token === undefined) {
    const rest = { check: 'vault.rest', title: 'all that needs a log-in' };
    return [...reached, ...findings, ca, skipped(rest, 'there is none')];
  }
  try {
    return [
      ...reached,
      ...findings,
      ca,
      ...(await examineSigning({ ...examination, setup }, connected, token.value)),
    ];
  } finally {
    if (token.own) await endToken(connected, token.value);
  }
}

async function examineSigning(
  examination: VaultExamination & { readonly setup: VaultSetup },
  { client, paths }: ConnectedVault,
  token: string,
): Promise<Finding[]> {
  const { config, setup, bundle, clock, signal, ownToken } = examination;
  const authMount = config.vaultAuthMount ?? config.vaultAuth;
  const rights = await examineRights({
    client,
    token,
    setup,
    authMount,
    ownToken: ownToken !== undefined,
    signal,
  });
  const direct = setup.mode === 'direct';
  const role = direct ? await examineRole(client, setup, token, examination) : [];
  if (bundle === undefined) {
    const sign = { check: 'vault.sign', title: 'signs our name' };
    return [...rights, ...role, skipped(sign, 'there are no trust anchors to verify it with')];
  }
  const common = { ...examination, client, paths, token };
  if (!direct) {
    const { vaultIntermediateLifetime: intermediateLifetimeMs } = config;
    return [...rights, ...(await probeIntermediates({ ...common, intermediateLifetimeMs }))];
  }
  const { issuerTimeout: timeoutMs } = config;
  const session = { call: <T>(run: (value: string) => Promise<T>): Promise<T> => run(token) };
  const anchors = new LatestValue(bundle);
  const inner = new VaultIssuer({ client, session, paths, anchors, clock, log: quietLog(), timeoutMs });
  const issuer = quietChecked(inner, examination, timeoutMs);
  return [...rights, ...role, ...(await probeSigning({ ...common, issuer, role }))];
}

/** As the identity service does at its end; whether it may is told with the other rights. */
async function endToken({ client }: ConnectedVault, token: string): Promise<void> {
  const signal = AbortSignal.timeout(5_000);
  await client.write('auth/token/revoke-self', {}, { token, signal }).catch((error: unknown) => {
    if (errorCode(error) === undefined) throw error;
  });
}
