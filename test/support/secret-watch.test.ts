import { encodePrivateKey } from '../../src/pki/keys.ts';
import { encodePem } from '../../src/pki/pem.ts';
import { testKeyPair } from './certificate-builder.ts';
import { buildCsr } from './csr-builder.ts';
import { LogCapture } from './log-capture.ts';
import { SecretWatch } from './secret-watch.ts';

const { privateKey, publicKey } = testKeyPair();
const rsa = testKeyPair('RSA').privateKey;
const csr = buildCsr();
const csrPem = encodePem('CERTIFICATE REQUEST', csr);
const token = 'hvs.CAESIJ2vX8kQ0example';

function watch(): SecretWatch {
  const made = new SecretWatch();
  made.secret('a token', token);
  made.privateKey(privateKey);
  made.privateKey(rsa);
  made.csr(csr);
  return made;
}

describe('SecretWatch', () => {
  it.each([
    ['a token', `Bearer ${token}`],
    ['a token', `in base64: ${Buffer.from(`user:${token}!`).toString('base64')}`],
    ['a token', `in hexadecimal: ${Buffer.from(token).toString('hex')}`],
    ['a private key', encodePrivateKey(privateKey)],
    ['a private key', encodePrivateKey(rsa)],
    ['a private key', JSON.stringify({ pem: encodePrivateKey(privateKey) })],
    ['a private key', JSON.stringify(privateKey.export({ format: 'jwk' }))],
    ['a private key', privateKey.export({ type: 'sec1', format: 'pem' })],
    ['a signing request', csrPem],
    ['a signing request', JSON.stringify({ csr: csrPem })],
    ['a signing request', Buffer.from(csrPem).toString('latin1')],
    ['a signing request', csr.toString('hex')],
    ['a signing request', csr.toString('base64url')],
  ])('finds %s however it is written (%#)', (what, text) => {
    const watched = watch();
    watched.output(() => `before ${text} behind`);
    expect(new Set(watched.leaks().map((leak) => leak.what))).toEqual(new Set([what]));
    expect(JSON.stringify(watched.leaks())).not.toContain(text.slice(-60));
  });

  it('finds what it was told the looks of', () => {
    const watched = new SecretWatch();
    watched.pattern('a token', /\bhvs\.[\w-]{12,}/);
    watched.output(() => `with hvs.${'x'.repeat(20)} in it`);
    watched.output(() => 'hvs. is how they begin');
    expect(watched.leaks()).toEqual([{ what: 'a token', where: 'with <a token>' }]);
  });

  it('looks at what an error hides from its message', () => {
    const watched = watch();
    watched.error(new Error('it failed', { cause: { headers: { 'x-vault-token': token } } }));
    expect(watched.leaks()).toHaveLength(1);
  });

  it('looks at a log as it stands when it is looked through', () => {
    const [watched, log] = [watch(), new LogCapture()];
    watched.output(() => log.text);
    expect(watched.leaks()).toEqual([]);
    log.info({ path: `/login?with=${token}` }, 'logged in');
    expect(watched.leaks()).toHaveLength(1);
  });

  it('takes nothing for a secret that is public', () => {
    const watched = watch();
    watched.output(() => publicKey.export({ type: 'spki', format: 'pem' }));
    watched.output(() => encodePem('CERTIFICATE REQUEST', buildCsr()));
    watched.output(() => encodePrivateKey(testKeyPair().privateKey));
    expect(watched.leaks()).toEqual([]);
    expect(watched.size.outputs).toBe(3);
  });
});
