import type { TokenVerifier, VerifiedToken } from '../../src/identity/token/token-verifier.ts';
import { Csr, createCsr } from '../../src/pki/csr.ts';
import { generateKeyPair } from '../../src/pki/keys.ts';
import { MeshDomain, type WorkloadIdentity } from '../../src/pki/workload-identity.ts';

/** One ServiceAccount of many pods, and the signing request that all of them send. */
export interface Account {
  readonly identity: WorkloadIdentity;
  readonly csr: Uint8Array;
}

const podsPerAccount = 50;
const day = 86_400_000;

/** Who lives in the mesh; and the cryptography of it, done once for each ServiceAccount and not for each request. */
export class Population {
  readonly domain = new MeshDomain('kedge', 'cluster.local');
  readonly accounts: readonly Account[];
  readonly #parsed = new Map<Uint8Array, Csr>();

  constructor(proxies: number) {
    const count = Math.max(1, Math.ceil(proxies / podsPerAccount));
    const { privateKey: key } = generateKeyPair();
    this.accounts = Array.from({ length: count }, (_, index) => {
      const identity = this.domain.identity(`team-${index % 40}`, `app-${index}`);
      const csr = createCsr({ key, dnsName: identity.dnsName, uri: identity.spiffeId });
      this.#parsed.set(csr, readOnce(Csr.parse(csr)));
      return { identity, csr };
    });
  }

  readonly parseCsr = (der: Uint8Array): Csr => {
    const csr = this.#parsed.get(der);
    if (csr === undefined) throw new Error('expected a signing request of this population');
    return csr;
  };

  /** A token is the number of an account and the uid of a pod. */
  static tokenOf(account: number, podUid: string): Uint8Array {
    return Buffer.from(`${account}/${podUid}`);
  }

  readonly tokens: TokenVerifier = {
    verify: (token) => {
      const [account = '', podUid = ''] = token.split('/');
      const { namespace, serviceAccount } = this.accounts[Number(account)]?.identity ?? missing();
      const subject = `system:serviceaccount:${namespace}:${serviceAccount}`;
      const verified: VerifiedToken = {
        ...{ namespace, serviceAccount, subject, podUid },
        ...{ issuer: 'simulated', audience: 'identity.l5d.io', expiresAt: new Date(day) },
      };
      return Promise.resolve(verified);
    },
  };
}

function missing(): never {
  throw new Error('expected the token of this population');
}

/** What the policy looks at, computed once: a signature is verified the first time it is asked for. */
function readOnce(csr: Csr): Csr {
  const signed = csr.verifySignature();
  const names = Object.getOwnPropertyNames(Csr.prototype).filter(
    (name) => Object.getOwnPropertyDescriptor(Csr.prototype, name)?.get !== undefined,
  );
  const values = Object.fromEntries(names.map((name) => [name, Reflect.get(csr, name) as unknown]));
  const { der, publicKey, signatureAlgorithm } = csr;
  return { der, publicKey, signatureAlgorithm, ...values, verifySignature: () => signed } as unknown as Csr;
}
