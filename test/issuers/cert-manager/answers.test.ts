import { isAppError } from '../../../src/runtime/errors.ts';
import { Csr } from '../../../src/pki/csr.ts';
import { verifyChain } from '../../../src/pki/verify-chain.ts';
import { generalName, testKeyPair } from '../../support/certificate-builder.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { refusalOf } from '../../support/refusal.ts';
import { SecretWatch } from '../../support/secret-watch.ts';
import { TestCa } from '../../support/test-ca.ts';
import { keyPair, later, now, request } from '../support/issue-request.ts';
import { base64, issuedBy, StandIn } from './support/stand-in.ts';
import type { Asked } from './support/stand-in.ts';

const root = TestCa.create();
const middle = root.intermediate();
const ca = middle.intermediate();
const stranger = TestCa.create();
const csrDer = buildCsr({ keyPair, dnsNames: [request.dnsName], uris: [request.uri ?? ''] });
const asked = { ...request, csr: Csr.parse(csrDer) };

const pemOf = (...certificates: readonly { readonly pem: string }[]): string =>
  base64(certificates.map(({ pem }) => pem).join(''));

/** The certificates of a status, the leaf first. */
function given(made: Asked): readonly string[] {
  const { certificate } = issuedBy(ca, made) as { certificate: string };
  return Buffer.from(certificate, 'base64')
    .toString()
    .split(/(?<=-----END CERTIFICATE-----\n)/);
}

describe('answers of a CertificateRequest', () => {
  it.each<[string, (made: Asked) => object]>([
    ['as cert-manager gives it', (made) => issuedBy(ca, made)],
    ['without status.ca, as ACME gives it', (made) => issuedBy(ca, made, {}, { ca: undefined })],
    ['with nothing in status.ca', (made) => issuedBy(ca, made, {}, { ca: '' })],
    ['with garbage in status.ca', (made) => issuedBy(ca, made, {}, { ca: base64('garbage') })],
    [
      'with a bundle of strangers in status.ca',
      (made) => issuedBy(ca, made, {}, { ca: pemOf(stranger.certificate, root.certificate) }),
    ],
    [
      'with the intermediates in status.ca alone',
      (made) =>
        issuedBy(
          ca,
          made,
          {},
          { certificate: base64(given(made)[0] ?? ''), ca: pemOf(middle.certificate, ca.certificate) },
        ),
    ],
    [
      'in reverse, with the root and everything twice',
      (made) => {
        const all = [...given(made), root.certificate.pem].toReversed();
        return issuedBy(ca, made, {}, { certificate: base64([...all, ...all].join('')) });
      },
    ],
  ])('give the leaf and the way to the anchor without it: %s', async (_, status) => {
    await using bench = await StandIn.begin(root.bundle);
    bench.onCreate = (made) => bench.decide(made, status(made));
    const { leaf, intermediates } = await bench.issue(asked);
    expect(intermediates).toEqual([ca.certificate, middle.certificate]);
    verifyChain({ leaf, intermediates, bundle: root.bundle, at: now, usage: 'both' });
  });

  it('give the anchor for the issuer where that signed itself', async () => {
    await using bench = await StandIn.begin(root.bundle);
    bench.onCreate = (made) => bench.decide(made, issuedBy(root, made));
    expect((await bench.issue(asked)).intermediates).toEqual([root.certificate]);
  });

  it.each<[string, string, (made: Asked) => object]>([
    ['another key', 'key', (made) => issuedBy(ca, made, { keyPair: testKeyPair() })],
    ['another name', 'names', (made) => issuedBy(ca, made, { names: [generalName.dns('web.other.test')] })],
    [
      'the DNS name alone, as ACME gives it, where both were asked for',
      'names',
      (made) => issuedBy(ca, made, { names: [generalName.dns(request.dnsName)] }),
    ],
    ['the CA flag', 'not-a-ca', (made) => issuedBy(ca, made, { isCa: true })],
    [
      'a longer life, as of an issuer that heeds no duration',
      'lifetime',
      (made) => issuedBy(ca, made, { notAfter: later(86_400_000) }),
    ],
    [
      'an end in the past',
      'lifetime',
      (made) => issuedBy(ca, made, { notBefore: later(-7_200_000), notAfter: later(-1_000) }),
    ],
    ['a chain to a stranger', 'chain', (made) => issuedBy(stranger, made)],
    [
      'a missing intermediate',
      'chain',
      (made) => issuedBy(ca, made, {}, { certificate: base64(given(made)[0] ?? '') }),
    ],
    [
      'usages of a server alone',
      'extended-key-usage',
      (made) => issuedBy(ca, made, { extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }),
    ],
    ['garbage', 'format', (made) => issuedBy(ca, made, {}, { certificate: base64('garbage') })],
    ['what is no base64', 'format', (made) => issuedBy(ca, made, {}, { certificate: '%%%%' })],
    [
      'a megabyte',
      'format',
      (made) =>
        issuedBy(
          ca,
          made,
          {},
          { certificate: base64('-----BEGIN CERTIFICATE-----\n'.padEnd(1_400_000, 'A')) },
        ),
    ],
    [
      'more certificates than a message holds',
      'size',
      (made) =>
        issuedBy(
          ca,
          made,
          {},
          {
            certificate: base64(
              [...given(made), ...Array.from({ length: 80 }, () => middle.certificate.pem)].join(''),
            ),
          },
        ),
    ],
  ])('are refused that have %s', async (_, rule, status) => {
    await using bench = await StandIn.begin(root.bundle);
    bench.onCreate = (made) => bench.decide(made, status(made));
    const told = await refusalOf(bench.issue(asked));
    expect(told).toContain(
      `issued_certificate_refused: the certificate from the issuer breaks the rule "${rule}"`,
    );
    expect(await bench.metrics.text()).toContain(`kedge_issuer_refused_answers_total{rule="${rule}"} 1`);
    await bench.gone();
  });

  it('ask again for less where a CA signs beyond its own end, and begin with that the next time', async () => {
    await using bench = await StandIn.begin(root.bundle);
    const ending = root.intermediate({ notAfter: later(1_800_000) });
    const durations: string[] = [];
    bench.onCreate = (made) => {
      durations.push(made.spec.duration);
      bench.decide(made, issuedBy(ending, made));
    };
    const { leaf } = await bench.issue(asked);
    expect(leaf.notAfter < ending.certificate.notAfter).toBe(true);
    expect(durations).toEqual(['59m21s', '29m21s']);
    expect(bench.issuer.state.value).toMatchObject({ state: 'ready', notAfter: ending.certificate.notAfter });
    await bench.gone();
    // It is forgotten when it has ended: another one may sign by then.
    await bench.clock.advance(1_860_000);
    expect(bench.issuer.state.value).toMatchObject({ state: 'ready', notAfter: root.certificate.notAfter });
  });

  it('are held back until they are valid where the clock of cert-manager is a little ahead, and refused where it is far', async () => {
    await using bench = await StandIn.begin(root.bundle);
    let aheadMs = 2_000;
    bench.onCreate = (made) => bench.decide(made, issuedBy(ca, made, { notBefore: later(aheadMs) }));
    let given = false;
    const answered = bench.issue(asked).then((issued) => {
      given = true;
      return issued;
    });
    await bench.gone();
    await bench.clock.advance(1_000);
    expect(given).toBe(false);
    await bench.clock.advance(1_000);
    expect((await answered).leaf.notBefore).toEqual(later(2_000));
    aheadMs = 30_000;
    expect(await refusalOf(bench.issue(asked))).toContain('breaks the rule "lifetime"');
  });

  it('wait for a certificate that comes after its condition', async () => {
    await using bench = await StandIn.begin(root.bundle);
    const answered = bench.issue(asked);
    const made = await bench.only();
    bench.decide(made, issuedBy(ca, made, {}, { certificate: undefined }));
    await bench.clock.advance(1_000);
    bench.decide(made, issuedBy(ca, made));
    await answered;
  });

  it('put no signing request, key or token into what is told', async () => {
    const watch = new SecretWatch();
    watch.csr(csrDer);
    watch.privateKey(keyPair.privateKey);
    watch.secret('a token', 'Bearer a-token-of-the-api');
    await using bench = await StandIn.begin(root.bundle);
    watch.output(() => bench.log.text);
    const statuses: ((made: Asked) => object)[] = [
      (made) => issuedBy(ca, made),
      (made) => issuedBy(ca, made, { keyPair: testKeyPair() }),
      (made) => ({
        conditions: [
          { type: 'Denied', status: 'True', reason: 'No', message: `will not sign ${made.spec.request}` },
        ],
      }),
      (made) => ({
        conditions: [
          {
            type: 'Ready',
            status: 'False',
            reason: 'Failed',
            message: Buffer.from(made.spec.request, 'base64').toString(),
          },
        ],
      }),
    ];
    for (const status of statuses) {
      bench.onCreate = (made) => bench.decide(made, status(made));
      await bench.issue(asked).catch((error: unknown) => {
        if (!isAppError(error)) throw error;
        watch.error(error);
      });
      await bench.gone();
    }
    const metrics = await bench.metrics.text();
    watch.output(() => metrics);
    expect(watch.leaks()).toEqual([]);
  });
});
