import { X509Certificate, sign, verify } from 'node:crypto';
import { checkCsr } from '../../src/identity/csr-policy.ts';
import { checkIssued } from '../../src/issuers/check-issued.ts';
import { createAnchor, createIntermediate } from '../../src/pki/authority.ts';
import { caKeyPair } from '../../src/pki/ca-key-pair.ts';
import type { Certificate } from '../../src/pki/certificate.ts';
import { Csr, createCsr } from '../../src/pki/csr.ts';
import { generateKeyPair } from '../../src/pki/keys.ts';
import { PublicKey } from '../../src/pki/public-key.ts';
import { signLeaf } from '../../src/pki/sign-leaf.ts';
import { TrustBundle } from '../../src/pki/trust-bundle.ts';
import { MeshDomain } from '../../src/pki/workload-identity.ts';

/**
 * A program: does one kind of work (`sign`, `sign-and-check` or `node-crypto`) over and over on one thread, first to warm
 * up and then for the seconds given, and writes the operations for each second of processor time. Time of the process
 * on all its threads is counted, so garbage collection is in it and what else runs on the machine is not.
 */
const warmUpSeconds = 1;
/** Different keys and requests, so that nothing can be remembered from one to the next. */
const distinct = 64;
const hourMs = 3_600_000;

const identity = new MeshDomain('kedge', 'cluster.local').identity('shop', 'web');
const names = { dnsName: identity.dnsName, uri: identity.spiffeId };
const now = new Date();
const times = {
  notBefore: new Date(now.getTime() - hourMs),
  notAfter: new Date(now.getTime() + 24 * hourMs),
};
const anchor = await createAnchor({ commonName: 'bench anchor', lifetimeMs: 1000 * hourMs, now });
const { privateKey: issuerKey } = generateKeyPair();
const intermediate = await createIntermediate({
  issuer: anchor,
  publicKey: PublicKey.of(issuerKey),
  commonName: 'bench issuer',
  pathLength: 0,
  notBefore: times.notBefore,
  notAfter: new Date(now.getTime() + 900 * hourMs),
});
const issuer = caKeyPair([intermediate], issuerKey);
const bundle = TrustBundle.of([anchor.certificate]);
const requests = Array.from({ length: distinct }, () =>
  createCsr({ key: generateKeyPair().privateKey, ...names }),
);

/** The parsing, policy and signing of `Certify`: a request in DER to a leaf in DER. */
function signRequest(der: Buffer): { csr: Csr; leaf: Certificate } {
  const csr = Csr.parse(der);
  checkCsr(csr, identity);
  return { csr, leaf: signLeaf(issuer, { publicKey: csr.publicKey, ...names, ...times }) };
}

/** As `Certify` does it before it answers: the leaf and its chain are verified like a stranger's. */
function signAndCheck(der: Buffer): void {
  const { csr, leaf } = signRequest(der);
  const request = { identity, csr, ...names, ...times };
  const issued = { leaf, intermediates: [intermediate] };
  checkIssued({ request, issued, bundle, now }, () => undefined);
}

/** One bare verification and one bare signature. */
function nodeCrypto(): () => void {
  const { publicKey, privateKey } = generateKeyPair();
  const data = Buffer.alloc(300, 1);
  const signature = sign('sha256', data, privateKey);
  return () => {
    if (!verify('sha256', data, publicKey, signature)) throw new Error('expected the signature to verify');
    sign('sha256', data, issuerKey);
  };
}

const bare = nodeCrypto();
const works: Readonly<Record<string, (der: Buffer) => unknown>> = {
  sign: signRequest,
  'sign-and-check': signAndCheck,
  'node-crypto': bare,
};

function checkWork(): void {
  const [request = Buffer.alloc(0)] = requests;
  const leaves = [signRequest(request).leaf, signRequest(request).leaf];
  const [first, second] = leaves.map(({ der }) => new X509Certificate(der));
  const signer = new X509Certificate(intermediate.der).publicKey;
  if (
    first?.verify(signer) !== true ||
    second?.verify(signer) !== true ||
    first.serialNumber === second.serialNumber
  )
    throw new Error('expected leaves of their own that verify');
  const forged = Buffer.from(request);
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  try {
    signRequest(forged);
  } catch {
    return;
  }
  throw new Error('expected a request with a wrong signature to be refused');
}

function repeat(work: (der: Buffer) => unknown, seconds: number): number {
  const end = performance.now() + seconds * 1000;
  let count = 0;
  while (performance.now() < end) {
    for (const request of requests) work(request);
    count += distinct;
  }
  return count;
}

const [kind = '', seconds = ''] = process.argv.slice(2);
const work = works[kind];
if (work === undefined) throw new Error(`expected one of ${Object.keys(works).join(', ')}, got ${kind}`);
checkWork();
repeat(work, warmUpSeconds);
const before = process.cpuUsage();
const count = repeat(work, Number(seconds));
const { user, system } = process.cpuUsage(before);
process.stdout.write(`${(count * 1e6) / (user + system)}\n`);
