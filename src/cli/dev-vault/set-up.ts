import path from 'node:path';
import { connectVault, type ConnectedVault } from '../../issuers/vault/connect-vault.ts';
import { policyText } from '../../issuers/vault/doctor/print-vault.ts';
import { roleValues, vaultSetup } from '../../issuers/vault/doctor/vault-setup.ts';
import { readMountCa } from '../../issuers/vault/mount-ca.ts';
import { issuerSettings } from '../../issuers/settings.ts';
import { isHeaderValue, tokenOf } from '../../issuers/vault/vault-token.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { MeshDomain } from '../../pki/workload-identity.ts';
import type { Clock } from '../../runtime/clock.ts';
import { readEnvironment } from '../../runtime/env.ts';
import { errorCode } from '../../runtime/errors.ts';
import { quoted } from '../../runtime/quoted.ts';
import { cliErrors } from '../errors.ts';
import { CERTIFICATE_MODE, KEY_MODE, makeDirectory, replaceFile } from '../bootstrap/write-files.ts';
import { readSmallFile } from '../read-file.ts';

export interface DevVaultOptions {
  readonly directory: string;
  readonly address: URL;
  readonly mode: 'direct' | 'intermediate';
  /** Holds a token that may do everything. */
  readonly tokenFile: string;
  readonly clock: Clock;
}

/** What is in the server and in the directory now; the JSON answer of `kedge dev-vault`. */
export interface DevVault {
  readonly mount: string;
  readonly role: string;
  readonly policy: string;
  readonly ca: string;
  readonly until: string;
  readonly sha256: string;
  readonly tokenFile: string;
  readonly settingsFile: string;
}

/** Of the engine and its role, which both modes share; a policy is for one mode, so that its token can do nothing else. */
const name = 'kedge-dev';

const mesh = {
  ...{ controlNamespace: 'kedge', trustDomain: 'cluster.local', serviceAccount: 'kedge-identity' },
  identity: new MeshDomain('kedge', 'cluster.local').identity('kedge', 'kedge-identity'),
  lifetimeMs: 24 * 3_600_000,
};

/**
 * Makes a development server the CA of the mesh `cluster.local`; a CA that an earlier run made stays.
 *
 * Rejects with an error of the vault catalogue, or of the command line where a file cannot be read or written.
 */
export async function setUpDevVault(options: DevVaultOptions): Promise<DevVault> {
  const { address, mode, clock } = options;
  const directory = directoryOf(options.directory);
  const rootToken = await readRootToken(options.tokenFile);
  await makeDirectory(directory);
  const settings = identityEnvironment(directory, options);
  const open = new AbortController();
  const config = { ...readEnvironment(issuerSettings, settings), issuerMode: mode };
  try {
    const vault = await connectVault(config, { clock, signal: open.signal });
    const admin: Admin = (call, body) =>
      vault.client.write(call, body, { token: rootToken, signal: open.signal }).catch((error: unknown) => {
        throw notTaken(error, options);
      });
    const ca = await settleCa(admin, vault, open.signal);
    const { rolePath, rules } = vaultSetup(config, mesh);
    await admin(rolePath, roleValues(mesh));
    const policy = `${name}-${mode}`;
    await admin(`sys/policies/acl/${policy}`, { policy: policyText(rules) });
    const write = (file: string, content: string, fileMode: number): Promise<void> =>
      replaceFile(path.join(directory, file), content, fileMode);
    await write('trust-anchors.crt', ca.pem, CERTIFICATE_MODE);
    await write('identity.env', environmentText(settings), CERTIFICATE_MODE);
    // Last: a token that could not be written would stay in the server.
    const wish = { policies: [policy], no_default_policy: true, ttl: '24h', display_name: name };
    const token = tokenOf(await admin('auth/token/create', wish), 'auth/token/create');
    await write('token', `${token.value}\n`, KEY_MODE);
    return {
      ...{ mount: name, role: name, policy },
      ...{ ca: ca.subject, until: ca.notAfter.toISOString(), sha256: ca.fingerprint },
      ...{ tokenFile: path.join(directory, 'token'), settingsFile: path.join(directory, 'identity.env') },
    };
  } finally {
    open.abort(new Error(`all was said to ${address.origin}`));
  }
}

type Admin = (path: string, body: object) => Promise<unknown>;

/** The CA of the engine, which is mounted where it is not there, and given a CA of its own where it has none. */
async function settleCa(
  admin: Admin,
  { client, paths }: ConnectedVault,
  signal: AbortSignal,
): Promise<Certificate> {
  const mount = { type: 'pki', config: { max_lease_ttl: '8760h' } };
  // Refused: something is mounted there.
  await admin(`sys/mounts/${name}`, mount).catch(except('vault_request_refused'));
  // Failed: there is an engine, and nothing in it.
  const found = await readMountCa(client, paths, signal).catch(except('vault_failed'));
  if (found !== undefined) return found.certificate;
  const root = { common_name: 'Kedge development root', ttl: '8760h', key_type: 'ec', key_bits: 256 };
  await admin(`${name}/root/generate/internal`, root);
  return (await readMountCa(client, paths, signal)).certificate;
}

/** Takes an error of this code for no answer. */
function except(code: string): (error: unknown) => undefined {
  return (error) => {
    if (errorCode(error) !== code) throw error;
  };
}

function identityEnvironment(
  directory: string,
  { address, mode }: DevVaultOptions,
): Readonly<Record<string, string>> {
  return {
    KEDGE_ISSUER: 'vault',
    KEDGE_ISSUER_MODE: mode,
    KEDGE_VAULT_ADDR: address.origin,
    KEDGE_VAULT_ALLOW_PLAINTEXT: String(address.protocol === 'http:'),
    KEDGE_VAULT_AUTH: 'token-file',
    KEDGE_VAULT_TOKEN_FILE: path.join(directory, 'token'),
    KEDGE_VAULT_PKI_MOUNT: name,
    KEDGE_VAULT_PKI_ROLE: name,
    KEDGE_TRUST_ANCHORS_FILE: path.join(directory, 'trust-anchors.crt'),
  };
}

/** For `kedge certify` and for a shell: in single quotes, neither finds more in a value than the value. */
function environmentText(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}='${value}'\n`)
    .join('');
}

/** Of what its path may hold, only these cannot stand in a file of settings. */
function directoryOf(given: string): string {
  const directory = path.resolve(given);
  if (!/['\n\r]/.test(directory)) return directory;
  const message = `expected a directory without single quotes and line ends in its path, got ${quoted(directory)}`;
  throw cliErrors.error('directory_unusable', message);
}

async function readRootToken(file: string): Promise<string> {
  const text = await readSmallFile(file).catch((cause: unknown) => {
    if (errorCode(cause) !== 'file_not_found') throw cause;
    const message = `${file}: expected the root token of the server, found no file: write it into one and name that with --token-file`;
    throw cliErrors.error('file_not_found', message, { cause });
  });
  const token = text.toString('utf8').trim();
  if (isHeaderValue(token)) return token;
  const message = `${file}: expected one line with the root token of the server, got something that cannot be one`;
  throw cliErrors.error('vault_token_unusable', message);
}

/** A root token may do everything, so what is forbidden to it was meant for another server. */
function notTaken(cause: unknown, { tokenFile, address }: DevVaultOptions): unknown {
  if (errorCode(cause) !== 'vault_forbidden') return cause;
  const message = `expected ${tokenFile} to hold the root token of ${address.origin}, got another one: name the right file with --token-file`;
  return cliErrors.error('vault_token_unusable', message, { cause });
}
