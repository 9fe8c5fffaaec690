import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Clock } from '../../../../src/runtime/clock.ts';
import { formatSocketAddress } from '../../../../src/runtime/socket-address.ts';
import { eventually } from '../../../support/eventually.ts';
import type { SecretWatch } from '../../../support/secret-watch.ts';
import { SilentWire } from '../../../support/silent-wire.ts';
import { TemporaryDirectory } from '../../../support/temporary-directory.ts';
import type { TestCa } from '../../../support/test-ca.ts';
import { enableAppRole } from '../../vault/support/app-role.ts';
import { MeshPki } from '../../vault/support/mesh-pki.ts';
import type { VaultServer } from '../../vault/support/vault-server.ts';
import type { Faults, Wish } from '../column.ts';
import { hourMs, OpenIssuer } from '../open-issuer.ts';
import { CaFamily } from './ca-family.ts';

/** A token of Vault or OpenBao, wherever it stands. */
const tokenPattern = /\b(?:hv)?[sb]\.[\w-]{20,}/;

/** A server of the Vault API with a log-in, for all cells of its columns. */
export class VaultBackend {
  readonly server: VaultServer;
  readonly #directory = new TemporaryDirectory();
  #login: Promise<Readonly<Record<string, string>>> | undefined;

  constructor(server: VaultServer) {
    this.server = server;
  }

  /** A PKI mount for one cell, and an issuer on it. */
  async cell(
    wish: Wish,
    watch: SecretWatch,
    env: Readonly<Record<string, string>>,
    clock?: Clock,
  ): Promise<VaultCell> {
    this.#login ??= enableAppRole(this.server, this.#directory);
    const login = await this.#login;
    for (const name of ['role-id', 'secret-id']) {
      watch.secret(`the ${name}`, readFileSync(this.#directory.file(name), 'utf8').trim());
    }
    watch.pattern('a token of Vault', tokenPattern);
    return VaultCell.open(this.server, wish, watch, { ...login, ...env }, clock);
  }

  end(): void {
    this.#directory[Symbol.dispose]();
  }
}

/** A mount of its own, reached by a wire of its own. */
export class VaultCell {
  readonly opened: OpenIssuer;
  readonly pki: MeshPki;
  readonly server: VaultServer;
  readonly family: CaFamily;
  readonly wire: SilentWire;

  private constructor(parts: Pick<VaultCell, 'opened' | 'pki' | 'server' | 'family' | 'wire'>) {
    this.opened = parts.opened;
    this.pki = parts.pki;
    this.server = parts.server;
    this.family = parts.family;
    this.wire = parts.wire;
  }

  static async open(
    server: VaultServer,
    wish: Wish,
    watch: SecretWatch,
    more: Readonly<Record<string, string>>,
    clock?: Clock,
  ): Promise<VaultCell> {
    const family = new CaFamily(wish, watch);
    const mount = `cell-${randomBytes(4).toString('hex')}`;
    const pki = new MeshPki(server, mount);
    const parts = { pki, server, family };
    if (wish.empty !== true) await fill(parts, wish);
    const { hostname: host, port } = new URL(server.address);
    const wire = await SilentWire.start({ host, port: Number(port) });
    const env = {
      KEDGE_ISSUER: 'vault',
      KEDGE_VAULT_ADDR: `https://${formatSocketAddress(wire.address)}`,
      KEDGE_VAULT_CA_FILE: server.caFile,
      KEDGE_VAULT_PKI_MOUNT: mount,
      KEDGE_ISSUER_TIMEOUT: `${wish.timeoutMs ?? 10_000}ms`,
      ...more,
    };
    const opened = await OpenIssuer.configured(env, [family.anchor.certificate], watch, undefined, clock);
    return new VaultCell({ ...parts, opened, wire });
  }

  /** What a server of the Vault API can be made to do, whatever is asked of it. */
  faults(wish: Wish): Faults {
    const { server, pki, family } = this;
    return {
      takeAway: async () => {
        await server.seal();
        return () => server.unseal();
      },
      replace: async () => {
        const next = family.signing();
        await this.#becomes(next);
        return next.certificate;
      },
      replaceByStranger: () => this.#becomes(family.stranger()),
      revokeLogin: async () => {
        await server.expect('sys/leases/revoke-prefix/auth/approle/login', { method: 'PUT', body: {} });
      },
      arrive: () => fill({ pki, family }, wish),
    };
  }

  async close(): Promise<void> {
    await this.wire[Symbol.asyncDispose]();
    await eventually(() => this.pki.unmount());
  }

  async #becomes(ca: TestCa): Promise<void> {
    await this.pki.setDefaultIssuer(await this.pki.importCa(ca));
  }
}

async function fill(
  { pki, family }: Pick<VaultCell, 'pki' | 'family'>,
  { maxLifetimeMs }: Wish,
): Promise<void> {
  await pki.create(family.signing());
  if (maxLifetimeMs !== undefined) await pki.setRole({ max_ttl: `${maxLifetimeMs / hourMs}h` });
}
