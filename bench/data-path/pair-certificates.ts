import { readFile, writeFile } from 'node:fs/promises';
import type { World } from '../../src/cli/demo/world.ts';
import { parseCaKeyPair } from '../../src/pki/ca-key-pair.ts';
import { encodePrivateKey, generateKeyPair } from '../../src/pki/keys.ts';
import { PublicKey } from '../../src/pki/public-key.ts';
import { signLeaf } from '../../src/pki/sign-leaf.ts';

const hourMs = 3_600_000;

/** Files of PEM: the anchors, and certificate, intermediate and key of both sides. */
export interface PairCertificates {
  readonly anchors: string;
  readonly web: string;
  readonly api: string;
}

/** Makes certificates of the world's own CA, with the names that Kedge's pair has too. */
export async function makePairCertificates(world: World): Promise<PairCertificates> {
  const chain = await readFile(world.path('issuer', 'tls.crt'), 'utf8');
  const issuer = parseCaKeyPair(chain, await readFile(world.path('issuer', 'tls.key'), 'utf8'));
  const write = async (name: 'web' | 'api'): Promise<string> => {
    const { privateKey, publicKey } = generateKeyPair();
    const { dnsName, spiffeId } = world.identityOf(name);
    const leaf = signLeaf(issuer, {
      publicKey: PublicKey.of(publicKey),
      dnsName,
      uri: spiffeId,
      notBefore: new Date(Date.now() - hourMs),
      notAfter: new Date(Date.now() + 24 * hourMs),
    });
    const file = world.path(`${name}.pem`);
    await writeFile(file, leaf.pem + chain + encodePrivateKey(privateKey), { mode: 0o600 });
    return file;
  };
  return { anchors: world.anchorsFile, web: await write('web'), api: await write('api') };
}
