import { mkdirSync, writeFileSync } from 'node:fs';
import { World } from '../../src/cli/demo/world.ts';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import { MeshPki } from '../../test/issuers/vault/support/mesh-pki.ts';
import { openBao } from '../../test/issuers/vault/support/vault-programs.ts';
import { VaultServer } from '../../test/issuers/vault/support/vault-server.ts';
import { TestCa } from '../../test/support/test-ca.ts';

/** The identity services that are compared, each with its two ports. */
const ports = [
  'direct',
  'directAdmin',
  'held',
  'heldAdmin',
  'own',
  'ownAdmin',
  'local',
  'localAdmin',
] as const;
export type VaultPort = (typeof ports)[number];

/** A real server of the Vault API with the CA of a mesh in it, and the same CA as files for the local issuer. */
export class VaultWorld implements AsyncDisposable {
  readonly server = new VaultServer(openBao);
  readonly world: World<VaultPort>;
  readonly pki = new MeshPki(this.server);
  #anchorIssuer = '';

  private constructor(world: World<VaultPort>) {
    this.world = world;
  }

  static async create(): Promise<VaultWorld> {
    const world = await World.create({ prefix: 'kedge-bench-', ports, workloads: ['web'] });
    const made = new VaultWorld(world);
    try {
      await made.#start();
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.world.remove();
    await this.server.end();
  }

  /** A token that may do what Kedge needs, and nothing else. */
  async token(): Promise<string> {
    const body = { policies: ['kedge'], ttl: '24h', no_default_policy: false };
    const { auth } = await this.server.expect<{ auth: { client_token: string } }>('auth/token/create', {
      body,
    });
    return auth.client_token;
  }

  /** Settings of an identity service that asks the server. */
  get settings(): Record<string, string> {
    return {
      KEDGE_ISSUER: 'vault',
      KEDGE_ISSUER_LOCAL_DIR: '',
      KEDGE_VAULT_ADDR: this.server.address,
      KEDGE_VAULT_CA_FILE: this.server.caFile,
      KEDGE_VAULT_AUTH: 'token-file',
      KEDGE_VAULT_TOKEN_FILE: this.world.path('tokens', 'vault'),
    };
  }

  /** And has a CA of its own signed by the anchor, so that its chains are as long as those of the local issuer. */
  get intermediateSettings(): Record<string, string> {
    return {
      ...this.settings,
      KEDGE_ISSUER_MODE: 'intermediate',
      KEDGE_VAULT_PKI_ISSUER: this.#anchorIssuer,
    };
  }

  async #start(): Promise<void> {
    const { world, server, pki } = this;
    const ca = TestCa.create({ commonName: 'bench anchor' });
    mkdirSync(world.path('ca'));
    writeFileSync(world.anchorsFile, ca.certificate.pem);
    mkdirSync(world.path('made-issuer'));
    const local = ca.intermediate({ commonName: 'bench issuer', pathLength: 0 });
    writeFileSync(world.path('made-issuer', 'tls.crt'), local.certificate.pem);
    writeFileSync(world.path('made-issuer', 'tls.key'), encodePrivateKey(local.key), { mode: 0o600 });
    writeFileSync(world.path('made-issuer', 'ca.crt'), ca.certificate.pem);
    world.useIssuer(world.path('made-issuer'));
    await server.start();
    await pki.create(local);
    this.#anchorIssuer = await pki.importCa(ca);
    writeFileSync(world.path('tokens', 'vault'), await this.token(), { mode: 0o600 });
  }
}
