import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../src/cli/demo/free-ports.ts';
import type { World } from '../../src/cli/demo/world.ts';
import { parseCaKeyPair } from '../../src/pki/ca-key-pair.ts';
import { createCsr } from '../../src/pki/csr.ts';
import { encodePrivateKey, generateKeyPair } from '../../src/pki/keys.ts';
import { encodePem } from '../../src/pki/pem.ts';
import { PublicKey } from '../../src/pki/public-key.ts';
import { signLeaf } from '../../src/pki/sign-leaf.ts';
import { onCore } from '../processes/on-core.ts';
import type { Processes } from '../processes/processes.ts';
import type { Contender } from './contender.ts';

const usages = ['digital signature', 'server auth', 'client auth'];
const config = { signing: { default: { usages, expiry: '24h' } } };
const patienceMs = 10_000;

/**
 * `cfssl serve` on one core, signing the same requests with the same intermediate, over TLS and HTTP/2 too. It verifies the
 * request's signature. It asks for no token, looks at no policy, does not verify what it signed, answers with the leaf alone.
 */
export async function startCfssl(processes: Processes, world: World, cfssl: string): Promise<Contender> {
  const [port = 0] = await freePorts(1);
  const files = await writeFiles(world);
  const address = ['-address', '127.0.0.1', '-port', String(port), '-config', files.config];
  const ca = ['-ca', world.path('issuer', 'tls.crt'), '-ca-key', world.path('issuer', 'tls.key')];
  const tls = ['-tls-cert', files.certificate, '-tls-key', files.key];
  const process = processes.start('cfssl', onCore(1, [cfssl, 'serve', ...address, ...ca, ...tls]), {
    env: { GOMAXPROCS: '1' },
    logFile: world.path('logs', 'cfssl.log'),
  });
  const url = `https://127.0.0.1:${port}/api/v1/cfssl/sign`;
  const issuer = new X509Certificate(await readFile(world.path('issuer', 'tls.crt')));
  const deadline = performance.now() + patienceMs;
  while ((await ask(url, requestFor(world)).catch(() => undefined)) === undefined) {
    process.checkRunning();
    if (performance.now() > deadline) throw new Error('expected an answer of cfssl within 10 s');
    await sleep(50);
  }
  await checkAnswers(url, world, issuer);
  return {
    process,
    url,
    headers: ['content-type: application/json'],
    bodyFile: files.body,
    prepare: async () => {
      await writeFile(files.body, requestFor(world));
      return () => Promise.resolve();
    },
  };
}

async function writeFiles(world: World): Promise<Record<'config' | 'certificate' | 'key' | 'body', string>> {
  const name = (file: string): string => world.path(file);
  const files = {
    config: name('cfssl.json'),
    certificate: name('cfssl.crt'),
    key: name('cfssl.key'),
    body: name('sign.json'),
  };
  const chain = await readFile(world.path('issuer', 'tls.crt'), 'utf8');
  const issuer = parseCaKeyPair(chain, await readFile(world.path('issuer', 'tls.key'), 'utf8'));
  const { privateKey, publicKey } = generateKeyPair();
  const [notBefore, notAfter] = [new Date(Date.now() - 60_000), new Date(Date.now() + 86_400_000)];
  const { dnsName } = world.identityOf('identity');
  const leaf = signLeaf(issuer, { publicKey: PublicKey.of(publicKey), dnsName, notBefore, notAfter });
  await writeFile(files.config, JSON.stringify(config));
  await writeFile(files.certificate, leaf.pem + chain);
  await writeFile(files.key, encodePrivateKey(privateKey), { mode: 0o600 });
  return files;
}

function requestFor(world: World, spoil = false): string {
  const { dnsName, spiffeId } = world.identityOf('web');
  const csr = createCsr({ key: generateKeyPair().privateKey, dnsName, uri: spiffeId });
  if (spoil) csr[csr.length - 1] = (csr.at(-1) ?? 0) ^ 1;
  return JSON.stringify({ certificate_request: encodePem('CERTIFICATE REQUEST', csr) });
}

async function checkAnswers(url: string, world: World, issuer: X509Certificate): Promise<void> {
  const good = await ask(url, requestFor(world));
  const pem = good.result?.certificate;
  if (pem === undefined || !new X509Certificate(pem).verify(issuer.publicKey))
    throw new Error(`expected a certificate of cfssl that verifies, got ${JSON.stringify(good)}`);
  if ((await ask(url, requestFor(world, true))).success)
    throw new Error('expected cfssl to refuse a request with a wrong signature');
}

interface Answer {
  readonly success: boolean;
  readonly result?: { readonly certificate?: string };
}

function ask(url: string, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // Its certificate is of this benchmark's own CA and names no address.
    const options = { method: 'POST', agent: false, rejectUnauthorized: false };
    const request = https.request(url, options, (response) => {
      json(response).then((answer) => resolve(answer as Answer), reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}
