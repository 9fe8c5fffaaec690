import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bootstrap } from '../../../src/cli/bootstrap/bootstrap.ts';
import { encodePrivateKey } from '../../../src/pki/keys.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { TestCa } from '../../support/test-ca.ts';

const installed = spawnSync('openssl', ['version']).status === 0;

/** OpenSSL as a second judge of what bootstrap makes. */
(installed ? describe : describe.skip)('bootstrap, judged by the openssl command', () => {
  const directory = fs.mkdtempSync(path.join(tmpdir(), 'kedge-openssl-'));
  const file = (name: string): string => path.join(directory, name);
  afterAll(() => fs.rmSync(directory, { recursive: true }));

  const make = (name: string, anchorKey?: string): ReturnType<typeof bootstrap> =>
    bootstrap({
      directory: file(name),
      trustDomain: 'cluster.local',
      controlNamespace: 'kedge',
      clock: systemClock,
      ...(anchorKey && {
        anchorCertificateFile: file(`${anchorKey}.crt`),
        anchorKeyFile: file(`${anchorKey}.key`),
      }),
    });

  function openssl(...args: string[]): string {
    const ran = spawnSync('openssl', args, { cwd: directory, encoding: 'utf8' });
    return ran.stdout + ran.stderr;
  }

  it('verifies the issuer up to the anchor, strictly', async () => {
    await make('ca');
    const said = openssl('verify', '-x509_strict', '-CAfile', 'ca/ca-bundle.crt', 'ca/issuer/tls.crt');
    expect(said).toBe('ca/issuer/tls.crt: OK\n');
  });

  it('reads the names, the path length and the usages as meant', async () => {
    await make('read');
    const text = openssl('x509', '-in', 'read/issuer/tls.crt', '-noout', '-text', '-nameopt', 'RFC2253');
    expect(text).toContain('Issuer: CN=root.kedge.cluster.local\n');
    expect(text).toContain('Subject: CN=identity.kedge.cluster.local\n');
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0\n/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
  });

  it('reads the keys, which belong to their certificates', async () => {
    await make('keys');
    for (const pair of ['anchor', 'issuer']) {
      const ofKey = openssl('pkey', '-in', `keys/${pair}/tls.key`, '-pubout');
      expect(ofKey).toMatch(/^-----BEGIN PUBLIC KEY-----/);
      expect(openssl('x509', '-in', `keys/${pair}/tls.crt`, '-noout', '-pubkey')).toBe(ofKey);
    }
  });

  it.each(['RSA', 'P-384'] as const)('verifies an issuer under a given anchor of %s', async (keyType) => {
    const root = TestCa.create({ keyType });
    fs.writeFileSync(file(`${keyType}.crt`), root.certificate.pem);
    fs.writeFileSync(file(`${keyType}.key`), encodePrivateKey(root.key));
    await make(`under-${keyType}`, keyType);
    const said = openssl('verify', '-CAfile', `${keyType}.crt`, `under-${keyType}/issuer/tls.crt`);
    expect(said).toBe(`under-${keyType}/issuer/tls.crt: OK\n`);
  });
});
