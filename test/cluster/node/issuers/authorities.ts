import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createIntermediate } from '../../../../src/pki/authority.ts';
import { caKeyPair, parseCaKeyPair } from '../../../../src/pki/ca-key-pair.ts';
import { generateKeyPair } from '../../../../src/pki/keys.ts';
import { PublicKey } from '../../../../src/pki/public-key.ts';
import { enableKubernetesLogin } from '../../../issuers/vault/support/kubernetes-login.ts';
import { MeshPki } from '../../../issuers/vault/support/mesh-pki.ts';
import type { AnchoredCa } from '../../../issuers/vault/support/mesh-pki.ts';
import { TestCa } from '../../../support/test-ca.ts';
import { openBaoProgram } from '../../binaries/openbao.ts';
import { CertManager } from '../../cert-manager/cert-manager.ts';
import { caIssuer } from '../../cert-manager/objects.ts';
import type { TestCluster } from '../../test-cluster.ts';
import { controlNamespace } from '../install-kedge.ts';
import { run } from '../run.ts';
import { kedge } from './kedge.ts';
import { OpenBao } from './open-bao.ts';

/** The CAs of a company under one root: one in OpenBao, one in cert-manager, each set up by the conventions of the chart. */
export class Authorities {
  readonly root = TestCa.create({ commonName: 'root of the company' });
  readonly vault = this.root.intermediate({ commonName: 'mesh, in vault' });
  readonly certManager = this.root.intermediate({ commonName: 'mesh, in cert-manager' });
  readonly openBao: OpenBao;
  readonly #pki: MeshPki;

  private constructor(openBao: OpenBao) {
    this.openBao = openBao;
    this.#pki = new MeshPki(openBao);
  }

  /** Starts both and makes all that the release needs of them in its namespace, which has to be there. */
  static async start(cluster: TestCluster): Promise<Authorities> {
    const [openBao] = await Promise.all([OpenBao.start(cluster), CertManager.start(cluster)]);
    const own = new Authorities(openBao);
    writeFileSync(cluster.file('anchor.pem'), own.root.certificate.pem);
    const known = ['create', 'configmap', 'vault-ca', `--from-file=ca.crt=${cluster.file('ca.crt')}`];
    await cluster.kubectl([`--namespace=${controlNamespace}`, ...known]);
    await enableKubernetesLogin(openBao, cluster);
    await own.#pki.mountCa(own.vault);
    await caIssuer(cluster, { namespace: controlNamespace, name: 'kedge', ca: own.certManager });
    return own;
  }

  /** Makes in OpenBao what `kedge doctor issuer --print` says that suffices for a mode, and nothing else. */
  async allowInVault(mode: 'direct' | 'intermediate'): Promise<void> {
    const settings = [`KEDGE_ISSUER=vault`, `KEDGE_ISSUER_MODE=${mode}`].flatMap((each) => ['--set', each]);
    const script = await kedge(['doctor', 'issuer', ...settings, '--print']);
    const PATH = [path.dirname(openBaoProgram), process.env['PATH']].join(path.delimiter);
    await run(['sh'], { input: script, env: { ...this.openBao.environment, PATH } });
  }

  /** Gives OpenBao a CA under an anchor whose key is at hand, in place of the one that it has. */
  async moveVaultUnder(anchorPem: string, anchorKeyPem: string): Promise<AnchoredCa> {
    const issuer = parseCaKeyPair(anchorPem, anchorKeyPem);
    const { privateKey } = generateKeyPair();
    const certificate = await createIntermediate({
      issuer,
      publicKey: PublicKey.of(privateKey),
      commonName: 'mesh, in vault, under its own anchor',
      pathLength: 1,
      notBefore: new Date(Date.now() - 60_000),
      notAfter: issuer.certificate.notAfter,
    });
    const ca = { ...caKeyPair([certificate], privateKey), anchor: issuer.certificate };
    await this.#pki.unmount();
    await this.#pki.mountCa(ca);
    await this.allowInVault('direct');
    return ca;
  }
}
