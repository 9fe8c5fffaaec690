import { Certificate } from '../../src/pki/certificate.ts';
import { TrustBundle } from '../../src/pki/trust-bundle.ts';
import type { ChainOptions } from '../../src/pki/verify-chain.ts';
import { verifyChain } from '../../src/pki/verify-chain.ts';
import { generalName } from '../support/certificate-builder.ts';
import { brokenChains } from '../support/chains/broken.ts';
import type { Presented } from '../support/chains/scenario.ts';
import { LEAF, middle, presented, root } from '../support/chains/scenario.ts';
import { soundChains } from '../support/chains/sound.ts';
import { itWithOpenssl, openssl } from '../support/openssl.ts';
import { refusal } from '../support/refusal.ts';
import { TestCa } from '../support/test-ca.ts';

const NOW = new Date();
const options = (chain: Presented, at = NOW): ChainOptions => ({ usage: 'both', at, ...chain });

describe('verifyChain', () => {
  it.each(soundChains())('accepts %s', (_name, chain, length) => {
    const path = verifyChain(options(chain));
    expect(path).toHaveLength(length);
    expect(path[0]).toBe(chain.leaf);
    expect(chain.bundle.anchors).toContain(path.at(-1));
    path.slice(1).forEach((issuer, i) => expect(path[i]!.isSignedBy(issuer.publicKey)).toBe(true));
  });

  it.each(brokenChains())('refuses %s', (_name, chain, refused) => {
    const message = refusal(() => verifyChain(options(chain)));
    expect(message.slice(0, refused.length)).toBe(refused);
  });

  it('accepts the first and the last second of a certificate, and no other', () => {
    const [notBefore, notAfter] = [new Date('2026-11-21T12:00:00Z'), new Date('2026-11-21T13:00:00Z')];
    const ca = root({ notBefore: new Date('2026-01-01'), notAfter: new Date('2027-01-01') });
    const chain = presented(ca, ca.leaf({ notBefore, notAfter }));
    expect(verifyChain(options(chain, notBefore))).toHaveLength(2);
    expect(verifyChain(options(chain, notAfter))).toHaveLength(2);
    expect(refusal(() => verifyChain(options(chain, new Date(notBefore.getTime() - 1))))).toBe(
      `chain_not_yet_valid: expected ${chain.leaf.label} to be valid at 2026-11-21T11:59:59.999Z, got a start at 2026-11-21T12:00:00.000Z`,
    );
    expect(refusal(() => verifyChain(options(chain, new Date(notAfter.getTime() + 1))))).toBe(
      `chain_expired: expected ${chain.leaf.label} to be valid at 2026-11-21T13:00:00.001Z, got an end at 2026-11-21T13:00:00.000Z`,
    );
  });

  it('names the anchors it knows when an issuer is missing', () => {
    const stranger = TestCa.create({ commonName: 'stranger' });
    const chain = presented(stranger, stranger.leaf(), { bundle: root().bundle });
    expect(refusal(() => verifyChain(options(chain)))).toBe(
      `chain_untrusted: expected CN=stranger, the issuer of ${chain.leaf.label}, among the intermediates or the anchors, got only the anchors CN=root`,
    );
  });

  it('tells of the path that came furthest, not of the dead ends beside it', () => {
    const top = root({ notBefore: new Date('2001-01-01'), notAfter: new Date('2002-01-01') });
    const ca = top.intermediate({ commonName: 'middle' });
    const impostor = root().intermediate({ commonName: 'middle' });
    const chain = presented(ca, ca.leaf(), { intermediates: [impostor.certificate, ca.certificate] });
    expect(refusal(() => verifyChain(options(chain)))).toMatch(/^chain_expired: expected CN=root \(serial/);
  });

  it('finds its way round a branch that ends badly', () => {
    const [good, bad] = [
      root(),
      TestCa.create({ notBefore: new Date('2001-01-01'), notAfter: new Date('2002-01-01') }),
    ];
    const ca = good.intermediate();
    const badBranch = bad.crossSign(ca).certificate;
    const bundle = good.bundle.union(bad.bundle);
    const chain = presented(ca, ca.leaf(), { intermediates: [badBranch, ca.certificate], bundle });
    expect(verifyChain(options(chain)).at(-1)).toEqual(good.certificate);
  });
});

describe('the work of verifyChain', () => {
  it('is bounded when CAs have signed one another in circles', () => {
    const cas = Array.from({ length: 8 }, () => TestCa.create());
    const web = cas.flatMap((signer) =>
      cas.filter((each) => each !== signer).map((each) => signer.crossSign(each).certificate),
    );
    const chain = presented(cas[0]!, cas[0]!.leaf(), { intermediates: web, bundle: root().bundle });
    expect(refusal(() => verifyChain(options(chain)))).toBe(
      'chain_too_complex: expected a path within 64 signature checks, got none',
    );
  });

  it('is bounded when many CAs share a name', () => {
    const real = root();
    const ca = real.intermediate({ commonName: 'same' });
    const impostors = Array.from({ length: 70 }, () => real.intermediate({ commonName: 'same' }).certificate);
    const chain = presented(ca, ca.leaf(), { intermediates: [...impostors, ca.certificate] });
    expect(refusal(() => verifyChain(options(chain)))).toMatch(
      /^chain_too_complex: expected a path within 64 signature checks/,
    );
    const fewer = presented(ca, ca.leaf(), { intermediates: [...impostors.slice(0, 40), ca.certificate] });
    expect(verifyChain(options(fewer))).toHaveLength(3);
  });

  it('is bounded when there are many names and many constraints', () => {
    const names = Array.from({ length: 600 }, (_, i) => `n${i}.cluster.local`);
    const ca = middle({ excludedDns: Array.from({ length: 600 }, (_, i) => `x${i}.org`) });
    const chain = presented(ca, ca.leaf({ names: names.map(generalName.dns) }));
    expect(refusal(() => verifyChain(options(chain)))).toBe(
      'chain_too_complex: expected at most 100000 comparisons of names with constraints, got more',
    );
  });

  it('ends for a CA that signed itself under another certificate', () => {
    const ca = middle();
    const loop = ca.crossSign(ca).certificate;
    const chain = presented(ca, ca.leaf(), { intermediates: [loop], bundle: root().bundle });
    expect(refusal(() => verifyChain(options(chain)))).toMatch(
      /^chain_untrusted: expected CN=middle, the issuer of CN=middle/,
    );
  });
});

describe('openssl as a judge of verifyChain', () => {
  const judge = (chain: Presented): string => {
    const files = {
      anchors: chain.bundle.pem,
      others: chain.intermediates.map(({ pem }) => pem).join('') || chain.leaf.pem,
      leaf: chain.leaf.pem,
    };
    const purpose = { server: 'sslserver', client: 'sslclient', both: 'sslclient', ca: 'any' }[
      chain.usage ?? 'both'
    ];
    const args = [
      'verify',
      '-partial_chain',
      '-purpose',
      purpose,
      '-CAfile',
      'anchors',
      '-untrusted',
      'others',
      'leaf',
    ];
    return openssl(args, files).text;
  };

  itWithOpenssl('finds every path that is found here a good one', () => {
    for (const [name, chain] of soundChains()) {
      const path = verifyChain(options(chain));
      const found = { ...chain, intermediates: path.slice(1, -1), bundle: TrustBundle.of(path.slice(-1)) };
      if (path.length > 1) expect([name, judge(found)]).toEqual([name, 'leaf: OK\n']);
    }
  });

  /** Rules that openssl does not have, or that its command does not turn on. */
  const OURS_ALONE = [
    /RSA-PSS|SHA-1|SHA-512|RSA-1024|P-224|P-521/,
    /URI|IP constraint|e-mail constraint|directory name/,
    /^a wildcard below a constraint/,
    /^seven intermediates/,
    /issued itself anew/,
    /, as a CA$|, as one$/,
    /^a leaf with the CA flag/,
  ];

  itWithOpenssl('refuses what is refused here, but for rules it does not have', () => {
    const taken = brokenChains().filter(([, chain]) => judge(chain) === 'leaf: OK\n');
    expect(taken.map(([name]) => name).filter((name) => !OURS_ALONE.some((rule) => rule.test(name)))).toEqual(
      [],
    );
  });
});

describe('chains made elsewhere', () => {
  itWithOpenssl('hold when the openssl command made them', () => {
    const config = [
      'basicConstraints=critical,CA:TRUE',
      'keyUsage=critical,keyCertSign,cRLSign',
      'nameConstraints=critical,permitted;DNS:cluster.local',
    ];
    const made = makeWithOpenssl(config.flatMap((line) => ['-addext', line]));
    const [anchor, leaf] = [Certificate.parsePem(made.ca)[0]!, Certificate.parsePem(made.leaf)[0]!];
    const path = verifyChain({
      leaf,
      intermediates: [],
      bundle: TrustBundle.of([anchor]),
      at: new Date(),
      usage: 'both',
    });
    expect(path.map(({ subject }) => subject)).toEqual(['CN=web,O=Kedge', 'CN=openssl root']);
    expect(anchor.nameConstraints).toMatchObject({ permittedDns: ['cluster.local'] });
    expect(leaf.sans).toMatchObject({ dns: [LEAF], ip: ['10.0.0.1'] });
  });

  itWithOpenssl('are refused when the openssl command made a CA for mail only', () => {
    const made = makeWithOpenssl(['-addext', 'extendedKeyUsage=emailProtection']);
    const [anchor, leaf] = [Certificate.parsePem(made.ca)[0]!, Certificate.parsePem(made.leaf)[0]!];
    const bundle = TrustBundle.of([anchor]);
    expect(
      refusal(() => verifyChain({ leaf, intermediates: [], bundle, at: new Date(), usage: 'both' })),
    ).toMatch(
      /^chain_usage_not_allowed: expected the extended key usage serverAuth, got 1.3.6.1.5.5.7.3.4 in CN=openssl root/,
    );
  });
});

describe('a bundle of every algorithm', () => {
  it('leads each leaf to its own anchor', () => {
    const cas = (['P-256', 'P-384', 'RSA', 'Ed25519'] as const).map((keyType) => TestCa.create({ keyType }));
    const bundle = TrustBundle.of(cas.map(({ certificate }) => certificate));
    for (const ca of cas) {
      const path = verifyChain(options(presented(ca, ca.leaf(), { bundle })));
      expect(path.at(-1)?.equals(ca.certificate)).toBe(true);
    }
  });
});

/** A root and a leaf below it, made by the openssl command alone. */
function makeWithOpenssl(caArguments: readonly string[]): { ca: string; leaf: string } {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const root = openssl(
    ['req', '-x509', ...key, '-keyout', '-', '-subj', '/CN=openssl root', ...caArguments],
    {},
  ).text;
  const leafArguments = [
    '-addext',
    `subjectAltName=DNS:${LEAF},IP:10.0.0.1`,
    '-addext',
    'basicConstraints=CA:FALSE',
  ];
  const args = [
    'req',
    '-x509',
    '-CA',
    'root',
    '-CAkey',
    'root',
    ...key,
    '-keyout',
    'k',
    '-subj',
    '/O=Kedge/CN=web',
    ...leafArguments,
  ];
  const certificate = (text: string): string =>
    /-----BEGIN CERTIFICATE-----[^]+-----END CERTIFICATE-----/.exec(text)?.[0] ?? text;
  return { ca: certificate(root), leaf: certificate(openssl(args, { root }).text) };
}
