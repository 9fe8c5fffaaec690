import { OID } from '../../../src/pki/oids.ts';
import { TestCa } from '../test-ca.ts';
import type { Sound } from './scenario.ts';
import { LEAF, asCa, deep, leafWith, middle, presented, root } from './scenario.ts';

/** Chains that must be accepted. */
export function soundChains(): Sound[] {
  return [...paths(), ...rules(), ...algorithms()];
}

function paths(): Sound[] {
  const three = deep(3);
  const strangers = [...deep(2).intermediates, TestCa.create().certificate];
  const mixed = [three.anchor, ...strangers, ...three.intermediates.toReversed(), three.certificate];
  const [one, other] = [root(), root()];
  const both = { bundle: one.bundle.union(other.bundle) };
  const [oldRoot, newRoot] = [TestCa.create(), TestCa.create()];
  const bridge = newRoot.crossSign(oldRoot).certificate;
  const lower = root().intermediate({ commonName: 'lower' });
  const renewed = one.intermediate();
  const hour = 3_600_000;
  const past = { notBefore: new Date(Date.now() - 3 * hour), notAfter: new Date(Date.now() - hour) };
  const expired = one.crossSign(renewed, past).certificate;
  return [
    ['a leaf below its anchor', presented(root()), 2],
    ['a leaf below an intermediate', presented(middle()), 3],
    ['six intermediates', presented(deep(6)), 8],
    [
      'intermediates in any order, doubled, with strangers and the anchor among them',
      presented(three, three.leaf(), { intermediates: mixed }),
      5,
    ],
    ['two anchors of one name, the leaf below the first', presented(one, one.leaf(), both), 2],
    ['two anchors of one name, the leaf below the second', presented(other, other.leaf(), both), 2],
    [
      'an old root that the new one has cross-signed',
      presented(oldRoot, oldRoot.leaf(), {
        intermediates: [oldRoot.certificate, bridge],
        bundle: newRoot.bundle,
      }),
      3,
    ],
    [
      'an expired certificate of an intermediate beside its renewed one',
      presented(renewed, renewed.leaf(), { intermediates: [expired, renewed.certificate] }),
      3,
    ],
    ['an anchor that is not self-signed', presented(lower.asAnchor()), 2],
    [
      'an anchor that is not self-signed, with its issuer sent along',
      presented(lower.asAnchor(), lower.leaf(), { intermediates: [lower.certificate, lower.anchor] }),
      2,
    ],
    ['a CA, as one', asCa(middle()), 2],
    [
      'an anchor that signs leaves itself, as a CA',
      { leaf: one.certificate, intermediates: [], bundle: one.bundle, usage: 'ca' },
      1,
    ],
  ];
}

function rules(): Sound[] {
  return [
    ['a leaf with both names', leafWith({ uri: 'spiffe://cluster.local/ns/shop/sa/web' }), 2],
    ['a leaf without extended key usage', leafWith({ extendedKeyUsage: null }), 2],
    ['a leaf without key usage', leafWith({ keyUsage: null }), 2],
    [
      'a leaf for servers, as a server',
      leafWith({ extendedKeyUsage: [OID.serverAuth] }, { usage: 'server' }),
      2,
    ],
    [
      'a leaf for clients, as a client',
      leafWith({ extendedKeyUsage: [OID.clientAuth] }, { usage: 'client' }),
      2,
    ],
    ['a CA without key usage', presented(middle({ keyUsage: null })), 3],
    ['a CA with both purposes', presented(middle({ extendedKeyUsage: [OID.clientAuth, OID.serverAuth] })), 3],
    ['a path length of 0 above a leaf', presented(middle({ pathLength: 0 })), 3],
    ['a path length of 1 on the anchor above one CA', presented(root({ pathLength: 1 }).intermediate()), 3],
    [
      'a name in one of the permitted domains',
      presented(middle({ permittedDns: ['example.org', 'cluster.local'] })),
      3,
    ],
    [
      'a name below a permitted domain with a leading dot',
      presented(middle({ permittedDns: ['.cluster.local'] })),
      3,
    ],
    ['a name that is the permitted one', presented(middle({ permittedDns: [LEAF] })), 3],
    ['a name outside the excluded domain', presented(middle({ excludedDns: ['example.org'] })), 3],
    [
      'a constraint that is not critical and holds',
      presented(middle({ permittedDns: ['cluster.local'], constraintsCritical: false })),
      3,
    ],
  ];
}

function algorithms(): Sound[] {
  const rsa = root({ keyType: 'RSA' });
  const p384 = root({ keyType: 'P-384' });
  return [
    ['P-384 CAs', presented(p384.intermediate({ keyType: 'P-384' })), 3],
    ['RSA CAs', presented(rsa.intermediate({ keyType: 'RSA' })), 3],
    ['Ed25519 CAs', presented(root({ keyType: 'Ed25519' }).intermediate({ keyType: 'Ed25519' })), 3],
    ['a P-256 CA below an RSA anchor', presented(rsa.intermediate()), 3],
    ['P-256 with SHA-384', leafWith({ signature: 'sha384' }), 2],
    ['RSA with SHA-384', presented(rsa, rsa.leaf({ signature: 'sha384' })), 2],
    ['RSA with SHA-512', presented(rsa, rsa.leaf({ signature: 'sha512' })), 2],
  ];
}
