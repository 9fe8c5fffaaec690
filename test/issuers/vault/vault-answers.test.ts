import type { IssuedCertificate } from '../../../src/issuers/issuer.ts';
import { eventually } from '../../support/eventually.ts';
import { refusalOf } from '../../support/refusal.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { TestCa } from '../../support/test-ca.ts';
import { answerOf, csr, request } from '../support/issue-request.ts';
import { wrongAnswers } from '../support/wrong-answers.ts';
import type { FakeHandler, FakeReply } from './support/fake-vault.ts';
import { pkiReply, scriptedEnv, scriptedVault } from './support/scripted-vault.ts';
import { VaultRig } from './support/vault-rig.ts';

const { signal } = new AbortController();
const root = TestCa.create();
const ca = root.intermediate();
const token = 'hvs.a-token-of-a-test-that-nobody-may-see';

const directory = new TemporaryDirectory();
directory.write({ token });
afterAll(() => directory[Symbol.dispose]());

/** Has one certificate signed by a server that answers so; gives it, and what was told. */
async function signedBy(
  sign: FakeHandler,
  bundle = root.bundle,
  mountCa = ca,
): Promise<{ readonly issued: () => Promise<IssuedCertificate>; readonly rig: VaultRig } & AsyncDisposable> {
  const fake = await scriptedVault([mountCa.certificate, mountCa.anchor], sign);
  const rig = await VaultRig.start({ env: scriptedEnv(fake, directory.file('token')), bundle });
  await eventually(() => expect(fake.paths).toContain('pki/issuer/default/json'));
  return {
    issued: () => rig.issuer.issue(request, signal),
    rig,
    [Symbol.asyncDispose]: async () => {
      await rig[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
    },
  };
}

const honest = answerOf(ca).issued;
const everything = [ca.certificate, root.certificate];

describe('VaultIssuer, with an answer in any shape', () => {
  const middle = ca.intermediate();
  const deep = answerOf(middle).issued.leaf;
  const otherRoot = TestCa.create();
  const crossed = otherRoot.crossSign(ca).certificate;
  const expected = [middle.certificate.fingerprint, ca.certificate.fingerprint];

  it.each<[string, FakeReply]>([
    ['in order', pkiReply(deep, [middle.certificate, ca.certificate, root.certificate], middle.certificate)],
    ['the other way round', pkiReply(deep, [root.certificate, ca.certificate, middle.certificate])],
    [
      'twice',
      pkiReply(deep, [
        middle.certificate,
        middle.certificate,
        ca.certificate,
        ca.certificate,
        root.certificate,
      ]),
    ],
    [
      'a hundred times',
      pkiReply(deep, Array.from({ length: 100 }, () => [middle.certificate, ca.certificate]).flat()),
    ],
    ['with the leaf in it', pkiReply(deep, [deep, middle.certificate, ca.certificate])],
    ['without the root', pkiReply(deep, [ca.certificate], middle.certificate)],
    [
      'with a cross-signed one',
      pkiReply(deep, [crossed, otherRoot.certificate, middle.certificate, ca.certificate]),
    ],
    [
      'as one bundle',
      {
        body: {
          data: { certificate: [deep, middle.certificate, ca.certificate].map(({ pem }) => pem).join('\n') },
        },
      },
    ],
    [
      'as one text in place of a list',
      { body: { data: { certificate: deep.pem, ca_chain: middle.certificate.pem + ca.certificate.pem } } },
    ],
  ])('sends what is needed and in order where the chain comes %s', async (_, reply) => {
    await using vault = await signedBy(() => reply);
    const { intermediates } = await vault.issued();
    expect(intermediates.map(({ fingerprint }) => fingerprint)).toEqual(expected);
  });
});

describe('VaultIssuer, with a wrong answer', () => {
  // Repetitions of one certificate are dropped when the answer is read.
  const wrong = wrongAnswers.filter(({ what }) => what !== 'more certificates than anybody needs');

  it.each(wrong.map((each) => [each.what, each] as const))('refuses %s', async (_, { make, rule }) => {
    const own = TestCa.create();
    const signer = own.intermediate();
    const { issued, bundle } = make(signer, own);
    const { leaf, intermediates } = issued;
    await using vault = await signedBy(() => pkiReply(leaf, intermediates), bundle, signer);
    expect(await refusalOf(vault.issued())).toContain(`breaks the rule "${rule}"`);
  });

  it.each<[string, FakeReply, string]>([
    ['no JSON', { body: 'certificate' }, 'expected JSON as the answer to pki/sign/kedge'],
    [
      'JSON without a certificate',
      { body: { data: {} } },
      'expected a certificate in the answer to pki/sign/kedge, got none',
    ],
    [
      'a text that is no certificate',
      { body: { data: { certificate: 'certificate' } } },
      'expected CERTIFICATE blocks in PEM, got none',
    ],
    [
      'a certificate of garbage',
      { body: { data: { certificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' } } },
      'certificate: ',
    ],
    [
      'ten megabytes',
      { body: JSON.stringify('x'.repeat(10 * 1024 * 1024)) },
      'expected at most 1048576 bytes, got more',
    ],
  ])('refuses %s', async (_, reply, says) => {
    await using vault = await signedBy(() => reply);
    expect(await refusalOf(vault.issued())).toContain('breaks the rule "format"');
    expect(vault.rig.log.text).toContain(says);
  });

  it('shows neither the token nor the request in anything it says', async () => {
    await using vault = await signedBy(({ headers, body }) => ({
      status: 400,
      body: { errors: [`cannot sign ${JSON.stringify(body)} for ${String(headers['x-vault-token'])}`] },
    }));
    const refusal = await refusalOf(vault.issued());
    expect(refusal).toContain('vault_request_refused');
    const told = `${refusal}\n${await vault.rig.told()}`;
    expect(told).not.toContain(token);
    expect(told).not.toContain(csr.der.toString('base64').slice(0, 40));
    expect(told).not.toContain('CERTIFICATE REQUEST');
  });

  it('signs once the server does as it should', async () => {
    let reply = pkiReply(answerOf(TestCa.create()).issued.leaf, everything);
    await using vault = await signedBy(() => reply);
    expect(await refusalOf(vault.issued())).toContain('issued_certificate_refused');
    reply = pkiReply(honest.leaf, everything);
    expect((await vault.issued()).leaf.equals(honest.leaf)).toBe(true);
  });
});
