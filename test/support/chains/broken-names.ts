import { encodeName } from '../../../src/pki/distinguished-name.ts';
import { OID } from '../../../src/pki/oids.ts';
import { generalName, subjectAltName } from '../certificate-builder.ts';
import type { TestCaOptions } from '../test-ca.ts';
import type { Broken, Presented } from './scenario.ts';
import { LEAF, asCa, leafWith, middle, presented, root } from './scenario.ts';

const EMAIL = '1.3.6.1.5.5.7.3.4';

/** Chains whose purposes do not allow the use. */
export function brokenPurposes(): Broken[] {
  const missing = (name: string, got: string, where: string): string =>
    `chain_usage_not_allowed: expected the extended key usage ${name}, got ${got} in ${where} (serial`;
  const server = { extendedKeyUsage: [OID.serverAuth] };
  const client = { extendedKeyUsage: [OID.clientAuth] };
  const email = { extendedKeyUsage: [EMAIL] };
  const any = { extendedKeyUsage: [OID.anyExtendedKeyUsage] };
  return [
    [
      'a leaf for servers, as a client',
      leafWith(server, { usage: 'client' }),
      missing('clientAuth', OID.serverAuth, LEAF),
    ],
    [
      'a leaf for clients, as a server',
      leafWith(client, { usage: 'server' }),
      missing('serverAuth', OID.clientAuth, LEAF),
    ],
    ['a leaf for one role, as both', leafWith(server), missing('clientAuth', OID.serverAuth, LEAF)],
    ['a leaf for any purpose', leafWith(any), missing('serverAuth', OID.anyExtendedKeyUsage, LEAF)],
    ['a leaf for e-mail', leafWith(email), missing('serverAuth', EMAIL, LEAF)],
    ['an intermediate for e-mail', presented(middle(email)), missing('serverAuth', EMAIL, 'CN=middle')],
    [
      'an intermediate for servers above a client',
      { ...presented(middle(server)), usage: 'client' },
      missing('clientAuth', OID.serverAuth, 'CN=middle'),
    ],
    ['an anchor for e-mail', presented(root(email)), missing('serverAuth', EMAIL, 'CN=root')],
    ['a CA for servers, as a CA', asCa(middle(server)), missing('clientAuth', OID.serverAuth, 'CN=middle')],
    [
      'a leaf that may not sign',
      leafWith({ keyUsage: [2] }),
      `chain_usage_not_allowed: expected the key usage digitalSignature, got keyEncipherment in ${LEAF}`,
    ],
  ];
}

/** Chains that break a name constraint, or carry one that cannot be enforced. */
export function brokenNames(): Broken[] {
  return [...outside(), ...unsupported()];
}

function outside(): Broken[] {
  const inside = (domain: string): string =>
    `chain_name_not_permitted: expected DNS names inside "${domain}" below`;
  const notIn = (domain: string): string =>
    `chain_name_not_permitted: expected DNS names outside "${domain}" below`;
  const limited = middle({ permittedDns: ['cluster.local'] });
  const named = (...names: string[]): Presented =>
    presented(limited, limited.leaf({ names: names.map(generalName.dns) }));
  const namedCa = limited.intermediate({
    extraExtensions: [subjectAltName(false, generalName.dns('ca.example.org'))],
  });
  const hole = { permittedDns: ['local'], excludedDns: ['cluster.local'] };
  return [
    [
      'a name outside the permitted domain',
      presented(middle({ permittedDns: ['example.org'] })),
      `${inside('example.org')} CN=middle (serial`,
    ],
    [
      'a name that only ends like the permitted domain',
      presented(middle({ permittedDns: ['ster.local'] })),
      `${inside('ster.local')} CN=middle`,
    ],
    [
      'a permitted domain with a leading dot, the name that very domain',
      presented(middle({ permittedDns: [`.${LEAF}`] })),
      `${inside(`.${LEAF}`)} CN=middle`,
    ],
    [
      'a second name outside the permitted domain',
      named(LEAF, 'evil.example'),
      `${inside('cluster.local')} CN=middle`,
    ],
    ['a wildcard below a constraint', named('*.cluster.local'), `${notIn('*.cluster.local')} CN=middle`],
    ['a name with a trailing dot below a constraint', named(`${LEAF}.`), `${notIn(`${LEAF}.`)} CN=middle`],
    [
      'a name inside an excluded domain',
      presented(middle({ excludedDns: ['cluster.local'] })),
      `${notIn('cluster.local')} CN=middle (serial`,
    ],
    [
      'a name excluded inside a permitted domain',
      presented(middle(hole)),
      `${notIn('cluster.local')} CN=middle`,
    ],
    ['every name excluded', presented(middle({ excludedDns: [''] })), `${notIn('')} CN=middle`],
    [
      'a constraint that is not critical',
      presented(middle({ permittedDns: ['example.org'], constraintsCritical: false })),
      `${inside('example.org')} CN=middle`,
    ],
    [
      'a constraint on the anchor',
      presented(root({ permittedDns: ['example.org'] })),
      `${inside('example.org')} CN=root`,
    ],
    [
      'a constraint two CAs up',
      presented(middle({ excludedDns: ['local'] }).intermediate()),
      `${notIn('local')} CN=middle`,
    ],
    ['a name of a CA in between', presented(namedCa), `${inside('cluster.local')} CN=middle`],
  ];
}

function unsupported(): Broken[] {
  const kind = (name: string): string =>
    `chain_name_constraint_unsupported: expected DNS name constraints only, got one of kind ${name} in CN=middle (serial`;
  const limited = (options: TestCaOptions): Presented => presented(middle(options));
  const permitted = (name: Buffer): Presented => limited({ subtrees: { permitted: [name] } });
  const excluded = (name: Buffer): Presented => limited({ subtrees: { excluded: [name] } });
  const withUri = middle({ permittedUri: ['cluster.local'] });
  return [
    ['a URI constraint', limited({ permittedUri: ['cluster.local'] }), kind('URI')],
    [
      'a URI constraint and a URI that keeps it',
      presented(withUri, withUri.leaf({ uri: 'spiffe://cluster.local/ns/shop/sa/web' })),
      kind('URI'),
    ],
    [
      'a URI constraint that is not critical',
      limited({ permittedUri: ['cluster.local'], constraintsCritical: false }),
      kind('URI'),
    ],
    [
      'an excluded URI beside a permitted domain',
      limited({ permittedDns: ['cluster.local'], subtrees: { excluded: [generalName.uri('x.org')] } }),
      kind('URI'),
    ],
    ['an IP constraint', excluded(generalName.ip(10, 0, 0, 0, 255, 0, 0, 0)), kind('IP address')],
    ['an e-mail constraint', permitted(generalName.email('example.org')), kind('email')],
    [
      'a directory name constraint',
      permitted(generalName.directory(encodeName('x'))),
      kind('directory name'),
    ],
    [
      'a DNS constraint written as a wildcard',
      limited({ permittedDns: ['*.cluster.local'] }),
      kind('DNS, but "*.cluster.local"'),
    ],
  ];
}
