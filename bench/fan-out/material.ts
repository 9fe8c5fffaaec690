import { createAnchor, createIntermediate } from '../../src/pki/authority.ts';
import { caKeyPair } from '../../src/pki/ca-key-pair.ts';
import { Certificate } from '../../src/pki/certificate.ts';
import type { Credentials } from '../../src/pki/credentials.ts';
import { encodePrivateKey, generateKeyPair, parsePrivateKey } from '../../src/pki/keys.ts';
import { PublicKey } from '../../src/pki/public-key.ts';
import { signLeaf } from '../../src/pki/sign-leaf.ts';
import { TrustBundle } from '../../src/pki/trust-bundle.ts';
import { MeshDomain } from '../../src/pki/workload-identity.ts';
import type { Material } from './messages.ts';

const domain = new MeshDomain('kedge', 'cluster.local');
const dayMs = 86_400_000;

/** The identity of both servers. */
export const serverIdentity = domain.identity('kedge', 'kedge-destination');
const clientIdentity = domain.identity('shop', 'web');

/** Certificates of one mesh, a day long, for the servers and for the subscribers. */
export async function makeMaterial(): Promise<{ server: Material; client: Material }> {
  const now = new Date();
  const [notBefore, notAfter] = [new Date(now.getTime() - 60_000), new Date(now.getTime() + dayMs)];
  const anchor = await createAnchor({ commonName: 'bench anchor', lifetimeMs: 2 * dayMs, now });
  const { privateKey, publicKey } = generateKeyPair();
  const ca = { commonName: 'bench issuer', publicKey: PublicKey.of(publicKey), pathLength: 0 };
  const issuer = caKeyPair(
    [await createIntermediate({ issuer: anchor, ...ca, notBefore, notAfter })],
    privateKey,
  );
  const materialOf = ({ dnsName, spiffeId: uri }: typeof serverIdentity): Material => {
    const pair = generateKeyPair();
    const leaf = signLeaf(issuer, {
      publicKey: PublicKey.of(pair.publicKey),
      dnsName,
      uri,
      notBefore,
      notAfter,
    });
    const chain = leaf.pem + issuer.certificate.pem;
    return { chain, key: encodePrivateKey(pair.privateKey), anchors: anchor.certificate.pem };
  };
  return { server: materialOf(serverIdentity), client: materialOf(clientIdentity) };
}

/** The server's material as Kedge's own server takes it. */
export function serverCredentials({ chain: pem, key, anchors }: Material): Credentials {
  const chain = Certificate.parsePem(pem);
  const [leaf] = chain;
  if (leaf === undefined) throw new Error('expected a certificate');
  return {
    identity: serverIdentity,
    leaf,
    chain,
    key: parsePrivateKey(key),
    bundle: TrustBundle.parsePem(anchors),
  };
}
