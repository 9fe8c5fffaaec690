import { TestCa } from '../test-ca.ts';
import { basicConstraints } from '../certificate-builder.ts';
import type { Broken } from './scenario.ts';
import { LEAF, asCa, deep, leafWith, middle, presented, root } from './scenario.ts';
import { brokenNames, brokenPurposes } from './broken-names.ts';

/** Chains that must be refused. */
export function brokenChains(): Broken[] {
  return [
    ...trust(),
    ...time(),
    ...authority(),
    ...lengths(),
    ...criticals(),
    ...brokenPurposes(),
    ...brokenNames(),
    ...algorithms(),
  ];
}

function trust(): Broken[] {
  const stranger = TestCa.create({ commonName: 'stranger' });
  const [real, fake] = [root(), root()];
  const forged = fake.intermediate({ commonName: 'middle' });
  const genuine = real.intermediate({ commonName: 'middle' });
  return [
    [
      'another CA, the right name in the leaf',
      presented(stranger, stranger.leaf(), { bundle: root().bundle }),
      `chain_untrusted: expected CN=stranger, the issuer of ${LEAF} (serial`,
    ],
    [
      'another CA that took the name of the anchor',
      presented(fake, fake.leaf(), { bundle: real.bundle }),
      `chain_signature_invalid: expected ${LEAF} (serial`,
    ],
    [
      'a forged intermediate',
      presented(forged, forged.leaf(), { bundle: real.bundle }),
      'chain_signature_invalid: expected CN=middle (serial',
    ],
    [
      'a leaf of a forged intermediate beside the genuine one',
      presented(forged, forged.leaf(), { intermediates: [genuine.certificate], bundle: real.bundle }),
      `chain_signature_invalid: expected ${LEAF} (serial`,
    ],
    [
      'an intermediate that was not sent',
      presented(genuine, genuine.leaf(), { intermediates: [] }),
      'chain_untrusted: expected CN=middle, the issuer of',
    ],
    [
      'an anchor sent along that is not in the bundle',
      presented(stranger, stranger.leaf(), { intermediates: [stranger.certificate], bundle: real.bundle }),
      'chain_untrusted: expected CN=stranger, the issuer of CN=stranger (serial',
    ],
    [
      'a signature of random bytes',
      leafWith({ signature: 'garbage' }),
      `chain_signature_invalid: expected ${LEAF} (serial`,
    ],
  ];
}

function time(): Broken[] {
  const hour = 3_600_000;
  const past = { notBefore: new Date(Date.now() - 3 * hour), notAfter: new Date(Date.now() - 2 * hour) };
  const future = { notBefore: new Date(Date.now() + hour), notAfter: new Date(Date.now() + 2 * hour) };
  return [
    ['an expired leaf', leafWith(past), `chain_expired: expected ${LEAF} (serial`],
    ['a leaf of tomorrow', leafWith(future), `chain_not_yet_valid: expected ${LEAF} (serial`],
    [
      'a leaf that ends before it begins',
      leafWith({ ...future, notAfter: past.notAfter }),
      `chain_not_yet_valid: expected ${LEAF} (serial`,
    ],
    ['an expired intermediate', presented(middle(past)), 'chain_expired: expected CN=middle (serial'],
    [
      'an intermediate of tomorrow',
      presented(middle(future)),
      'chain_not_yet_valid: expected CN=middle (serial',
    ],
    ['an expired anchor', presented(root(past)), 'chain_expired: expected CN=root (serial'],
    ['an anchor of tomorrow', presented(root(future)), 'chain_not_yet_valid: expected CN=root (serial'],
    ['an expired CA, as one', asCa(middle(past)), 'chain_expired: expected CN=middle (serial'],
  ];
}

function authority(): Broken[] {
  const withoutFlag = 'chain_not_ca: expected an issuer with the CA flag, got';
  const withoutUsage = 'chain_not_ca: expected an issuer with the key usage keyCertSign, got';
  return [
    [
      'an intermediate without the CA flag',
      presented(middle({ isCa: false })),
      `${withoutFlag} CN=middle (serial`,
    ],
    [
      'an intermediate with empty basic constraints',
      presented(middle({ isCa: false, extraExtensions: [basicConstraints(false)] })),
      `${withoutFlag} CN=middle (serial`,
    ],
    [
      'an intermediate without keyCertSign',
      presented(middle({ keyUsage: [0, 6] })),
      `${withoutUsage} digitalSignature, cRLSign in CN=middle (serial`,
    ],
    [
      'an anchor without keyCertSign',
      presented(root({ keyUsage: [6] })),
      `${withoutUsage} cRLSign in CN=root (serial`,
    ],
    [
      'a leaf with the CA flag',
      leafWith({ isCa: true }),
      `chain_leaf_is_ca: expected a workload certificate, got the CA ${LEAF} (serial`,
    ],
    [
      'a CA in place of a leaf',
      { ...asCa(middle()), usage: 'both' },
      'chain_leaf_is_ca: expected a workload certificate, got the CA CN=middle (serial',
    ],
    ['a leaf, as a CA', leafWith({}, { usage: 'ca' }), `${withoutFlag} ${LEAF} (serial`],
    [
      'a CA without keyCertSign, as one',
      asCa(middle({ keyUsage: [6] })),
      `${withoutUsage} cRLSign in CN=middle (serial`,
    ],
  ];
}

function lengths(): Broken[] {
  const atMost0 = 'chain_path_too_long: expected at most 0 CAs below';
  const short = root().intermediate({ commonName: 'short', pathLength: 0 });
  return [
    ['a path length of 0 above another CA', presented(short.intermediate()), `${atMost0} CN=short (serial`],
    [
      'a path length of 0 on the anchor above a CA',
      presented(root({ pathLength: 0 }).intermediate()),
      `${atMost0} CN=root (serial`,
    ],
    [
      'a path length of 0 above a CA that issued itself anew',
      presented(short.intermediate({ commonName: 'short' })),
      `${atMost0} CN=short (serial`,
    ],
    [
      'a CA below a path length of 0, as a CA',
      asCa(root({ pathLength: 0 }).intermediate()),
      `${atMost0} CN=root (serial`,
    ],
    [
      'seven intermediates',
      presented(deep(7)),
      `chain_path_too_long: expected at most 6 CAs between ${LEAF} (serial`,
    ],
  ];
}

function criticals(): Broken[] {
  const unknown =
    'chain_critical_extension: expected only critical extensions that are understood, got 1.3.6.1.4.1.55555.1.1 in';
  return [
    [
      'an unknown critical extension on the leaf',
      leafWith({ unknownCritical: true }),
      `${unknown} ${LEAF} (serial`,
    ],
    [
      'an unknown critical extension on an intermediate',
      presented(middle({ unknownCritical: true })),
      `${unknown} CN=middle (serial`,
    ],
    [
      'an unknown critical extension on the anchor',
      presented(root({ unknownCritical: true })),
      `${unknown} CN=root (serial`,
    ],
  ];
}

function algorithms(): Broken[] {
  const signedBy = (name: string): string =>
    `chain_algorithm_not_allowed: expected a signature by ECDSA with SHA-256 or SHA-384, Ed25519 or RSA PKCS #1 with SHA-2, got ${name} on`;
  const weakIssuer = `chain_algorithm_not_allowed: expected the issuer of ${LEAF} (serial`;
  const rsa = root({ keyType: 'RSA' });
  return [
    [
      'RSA-PSS on the leaf',
      presented(rsa, rsa.leaf({ signature: 'rsa-pss' })),
      `${signedBy('RSA-PSS')} ${LEAF}`,
    ],
    [
      'RSA-PSS on an intermediate',
      presented(rsa.intermediate({ commonName: 'middle', signature: 'rsa-pss' })),
      `${signedBy('RSA-PSS')} CN=middle`,
    ],
    [
      'RSA with SHA-1',
      presented(rsa, rsa.leaf({ signature: 'sha1' })),
      `${signedBy('sha1WithRSAEncryption')} ${LEAF}`,
    ],
    ['ECDSA with SHA-1', leafWith({ signature: 'sha1' }), `${signedBy('ecdsa-with-SHA1')} ${LEAF}`],
    ['ECDSA with SHA-512', leafWith({ signature: 'sha512' }), `${signedBy('ecdsa-with-SHA512')} ${LEAF}`],
    ['an RSA-1024 CA', presented(root({ keyType: 'RSA-1024' })), weakIssuer],
    ['a P-224 CA', presented(root({ keyType: 'P-224' })), weakIssuer],
    ['a P-521 CA', presented(root({ keyType: 'P-521' })), weakIssuer],
  ];
}
