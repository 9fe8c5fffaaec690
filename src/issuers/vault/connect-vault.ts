import type { Clock } from '../../runtime/clock.ts';
import type { ValuesOf } from '../../runtime/env.ts';
import type { Log } from '../../runtime/log.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { pkiPaths, type PkiPaths } from './pki-paths.ts';
import type { vaultSettings } from './settings.ts';
import { VaultClient } from './vault-client.ts';
import { VaultConnections } from './vault-connections.ts';
import { vaultLogin, type VaultLogin } from './vault-login.ts';
import { vaultMetrics } from './vault-metrics.ts';
import { VaultSession } from './vault-session.ts';

export interface VaultConfig extends ValuesOf<typeof vaultSettings> {
  /** How long a call may take. */
  readonly issuerTimeout: number;
}

export interface VaultNeeds {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
  /** Takes what is to be done when the process ends, before the deadline. */
  readonly onClose?: (part: string, close: (deadline: AbortSignal) => Promise<void>) => void;
}

export interface ConnectedVault {
  readonly client: VaultClient;
  readonly paths: PkiPaths;
}

/** The server of the settings, and where in it the PKI engine is; what is open ends with the signal. */
export async function connectVault(
  config: VaultConfig,
  { clock, signal }: Pick<VaultNeeds, 'clock' | 'signal'>,
): Promise<ConnectedVault> {
  const { vaultAddress: address, vaultNamespace: namespace, issuerTimeout: timeoutMs } = config;
  const { vaultAuth, vaultCertFile: certFile, vaultKeyFile: keyFile } = config;
  const withCertificate = vaultAuth === 'cert' && certFile !== undefined && keyFile !== undefined;
  const connections = new VaultConnections({
    address,
    caFile: config.vaultCaFile,
    serverName: config.vaultServerName,
    client: withCertificate ? { certFile, keyFile } : undefined,
    maxConnections: config.vaultConnections,
    clock,
  });
  await connections.start(signal);
  const { vaultPkiMount: mount, vaultPkiRole: role, vaultPkiIssuer: issuer } = config;
  return {
    client: new VaultClient({ address, connections, namespace, timeoutMs, clock }),
    paths: pkiPaths({ mount, role, issuer }),
  };
}

/** The way to log in that the settings name. */
export function configuredLogin(client: Pick<VaultClient, 'write'>, config: VaultConfig): VaultLogin {
  return vaultLogin(client, {
    method: config.vaultAuth,
    mount: config.vaultAuthMount,
    role: config.vaultAuthRole,
    jwtFile: config.vaultJwtFile,
    roleIdFile: config.vaultRoleIdFile,
    secretIdFile: config.vaultSecretIdFile,
    tokenFile: config.vaultTokenFile,
  });
}

/** The same with a log-in, which is begun; the token is given back when the process ends. */
export async function logInToVault(
  config: VaultConfig,
  needs: VaultNeeds,
): Promise<ConnectedVault & { readonly session: VaultSession }> {
  const { clock, log, signal, onClose } = needs;
  // Connections outlive the signal by the one call that ends the token.
  const open = new AbortController();
  const { client, paths } = await connectVault(config, { clock, signal: onClose ? open.signal : signal });
  const login = configuredLogin(client, config);
  const session = new VaultSession({
    client,
    login,
    clock,
    log,
    metrics: vaultMetrics(needs.metrics, clock),
  });
  session.start(signal);
  onClose?.('vault', (deadline) =>
    session
      .revoke(deadline)
      .catch(() => undefined)
      .finally(() => open.abort()),
  );
  return { client, paths, session };
}
