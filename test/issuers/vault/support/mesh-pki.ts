import type { CaKeyPair } from '../../../../src/pki/ca-key-pair.ts';
import type { Certificate } from '../../../../src/pki/certificate.ts';
import { encodePrivateKey } from '../../../../src/pki/keys.ts';
import { policyText } from '../../../../src/issuers/vault/doctor/print-vault.ts';
import { signRule } from '../../../../src/issuers/vault/doctor/vault-setup.ts';
import type { VaultAdmin } from './vault-server.ts';

/** What a role needs to sign for a mesh; the names are those of the mesh `cluster.local` with the control namespace `kedge`. */
const meshRole = {
  key_type: 'ec',
  key_bits: 256,
  require_cn: false,
  use_csr_common_name: false,
  use_csr_sans: false,
  allowed_domains: ['serviceaccount.identity.kedge.cluster.local'],
  allow_subdomains: true,
  allow_ip_sans: false,
  allow_localhost: false,
  allow_wildcard_certificates: false,
  allowed_uri_sans: ['spiffe://cluster.local/ns/*'],
  server_flag: true,
  client_flag: true,
  key_usage: ['DigitalSignature'],
  max_ttl: '24h',
  not_before_duration: '30s',
  no_store: true,
};

export type RoleFields = Partial<Record<keyof typeof meshRole | 'issuer_ref', unknown>>;

/** A CA with its key, and the anchor above it. */
export type AnchoredCa = CaKeyPair & { readonly anchor: Certificate };

/** A PKI mount with a role for the mesh, as an administrator sets it up. Policies and mounts are of one name each. */
export class MeshPki {
  readonly mount: string;
  readonly #server: VaultAdmin;

  constructor(server: VaultAdmin, mount = 'pki') {
    this.#server = server;
    this.mount = mount;
  }

  /** Mounts the engine, gives it this CA with those above it, and makes the role and the policy. */
  async create(ca: AnchoredCa, { withChain = true }: { readonly withChain?: boolean } = {}): Promise<void> {
    await this.mountCa(ca, { withChain });
    await this.setRole();
    await this.setPolicy([
      'sign/kedge',
      'root/sign-intermediate',
      'issuer/+/sign/kedge',
      'issuer/+/sign-intermediate',
    ]);
  }

  /** Mounts the engine and gives it this CA with those above it; nobody may use it yet. */
  async mountCa(ca: AnchoredCa, { withChain = true }: { readonly withChain?: boolean } = {}): Promise<void> {
    const type = { type: 'pki', config: { max_lease_ttl: '87600h' } };
    await this.#server.expect(`sys/mounts/${this.mount}`, { body: type });
    await this.importCa(ca, { withChain });
  }

  /** Gives the engine a further CA; gives the id of its issuer. */
  async importCa(ca: AnchoredCa, { withChain = true } = {}): Promise<string> {
    const above = withChain ? [...ca.chain, ca.anchor].filter((each) => !each.equals(ca.certificate)) : [];
    const pem = [encodePrivateKey(ca.key), ca.certificate.pem, ...above.map((each) => each.pem)].join('');
    const { data } = await this.#server.expect<{ data: { mapping: Record<string, string> } }>(
      `${this.mount}/issuers/import/bundle`,
      { body: { pem_bundle: pem } },
    );
    const [id = ''] = Object.entries(data.mapping).find(([, key]) => key !== '') ?? [];
    return id;
  }

  async setDefaultIssuer(id: string): Promise<void> {
    await this.#server.expect(`${this.mount}/config/issuers`, { body: { default: id } });
  }

  async setRole(fields: RoleFields = {}): Promise<void> {
    await this.#server.expect(`${this.mount}/roles/kedge`, { body: { ...meshRole, ...fields } });
  }

  async removeRole(): Promise<void> {
    await this.#server.expect(`${this.mount}/roles/kedge`, { method: 'DELETE' });
  }

  /** The policy `kedge`: a write to each of these paths of the mount, by `sign/kedge` of what is printed alone, and nothing else. */
  async setPolicy(paths: readonly string[]): Promise<void> {
    const rules = paths.map((each) => {
      const path = `${this.mount}/${each}`;
      if (each.endsWith('sign/kedge')) return policyText([signRule(path)]);
      return `path "${path}" { capabilities = ["update"] }`;
    });
    await this.#server.expect('sys/policies/acl/kedge', {
      method: 'PUT',
      body: { policy: rules.join('\n') || '# nothing' },
    });
  }

  async unmount(): Promise<void> {
    await this.#server.expect(`sys/mounts/${this.mount}`, { method: 'DELETE' });
  }
}
