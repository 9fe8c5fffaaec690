import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readAnchors, readCertificates } from '../../../src/cli/identity/read-certificates.ts';
import { encodePrivateKey } from '../../../src/pki/keys.ts';
import { TestCa } from '../../support/test-ca.ts';

describe('reading certificates from a file', () => {
  const directory = fs.mkdtempSync(path.join(tmpdir(), 'kedge-read-'));
  const root = TestCa.create();
  const { certificate, chain, key } = root.intermediate().leaf();
  const chainPem = chain.map(({ pem }) => pem).join('');

  afterAll(() => fs.rmSync(directory, { recursive: true }));

  function file(content: string | Uint8Array): string {
    const name = path.join(directory, `${fs.readdirSync(directory).length}.pem`);
    fs.writeFileSync(name, content);
    return name;
  }

  const fingerprints = async (name: string): Promise<string[]> =>
    (await readCertificates(name)).map(({ fingerprint }) => fingerprint);
  const expected = chain.map(({ fingerprint }) => fingerprint);

  it('reads a chain in its order, with comments between and Windows line ends', async () => {
    expect(await fingerprints(file(chainPem))).toEqual(expected);
    expect(await fingerprints(file(`my chain\n${chainPem.replaceAll('\n', '\r\n')}\nend`))).toEqual(expected);
  });

  it('reads one certificate in DER', async () => {
    expect(await fingerprints(file(certificate.der))).toEqual([certificate.fingerprint]);
  });

  it('passes over a private key beside the certificates, even a broken one', async () => {
    expect(await fingerprints(file(`${encodePrivateKey(key)}${chainPem}`))).toEqual(expected);
    const strange = '-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n';
    expect(await fingerprints(file(`${chainPem}${strange}`))).toEqual(expected);
  });

  it('says which blocks a file has when none is a certificate, and shows nothing of a key', async () => {
    const pem = encodePrivateKey(key);
    const name = file(pem);
    const error: unknown = await readCertificates(name).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'no_certificate',
      message: `${name}: expected a certificate in PEM or DER, got PEM with only PRIVATE KEY`,
    });
  });

  it.each([
    ['nothing', '', 'got 0 bytes that are neither'],
    ['other text', 'hello', 'got 5 bytes that are neither'],
    ['a cut block', '-----BEGIN CERTIFICATE-----\nAAAA\n', 'PEM: expected'],
    [
      'a block that is no certificate',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      'certificate 1 of 1: certificate:',
    ],
    ['DER that is no certificate', Buffer.from('3003020100', 'hex'), 'expected one certificate in DER'],
    [
      'a key in DER',
      generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' }),
      'expected one certificate in DER',
    ],
  ])('refuses %s', async (_, content, reason) => {
    await expect(readCertificates(file(content))).rejects.toMatchObject({
      code: 'no_certificate',
      message: expect.stringContaining(reason) as string,
    });
  });

  it('tells a missing file, a directory and a file too large from each other', async () => {
    const missing = path.join(directory, 'missing');
    await expect(readCertificates(missing)).rejects.toMatchObject({
      code: 'file_not_found',
      message: `${missing}: expected a file, found none`,
    });
    await expect(readCertificates(directory)).rejects.toMatchObject({
      code: 'file_unreadable',
      message: `${directory}: expected a file that can be read, got a directory`,
    });
    const large = file(Buffer.alloc(1024 * 1024 + 1));
    await expect(readCertificates(large)).rejects.toMatchObject({
      code: 'file_unreadable',
      message: `${large}: expected at most 1048576 bytes, got more`,
    });
  });

  it('reads trust anchors, and refuses a file of workload certificates as such', async () => {
    expect((await readAnchors(file(root.bundle.pem))).equals(root.bundle)).toBe(true);
    const name = file(certificate.pem);
    await expect(readAnchors(name)).rejects.toMatchObject({
      code: 'no_certificate',
      message: expect.stringContaining(`${name}: expected a bundle of trust anchors: `) as string,
    });
  });
});
