import { X509Certificate } from 'node:crypto';

import { PeerVerifier } from '../../../src/proxy/transport/verify-peer.ts';
import type { PresentedPeer } from '../../../src/proxy/transport/verify-peer.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { refusal } from '../../support/refusal.ts';
import { TestCa } from '../../support/test-ca.ts';
import type { TestLeaf } from '../../support/test-ca.ts';
import { web } from './bench.ts';
import { issuer, root } from './mesh.ts';

/** A peer as Node's TLS shows it; `reads` counts how often its chain was asked for. */
function presented({ chain }: TestLeaf): PresentedPeer & { reads: number } {
  const [leaf, ...rest] = chain.map(({ der }) => new X509Certificate(der).toLegacyObject());
  const linked = rest.reduceRight<object | undefined>(
    (next, one) => ({ ...one, issuerCertificate: next }),
    undefined,
  );
  return {
    reads: 0,
    fingerprint: leaf!.fingerprint256,
    chain() {
      this.reads++;
      return { ...leaf!, issuerCertificate: linked } as ReturnType<PresentedPeer['chain']>;
    },
  };
}

describe('the verification of peers', () => {
  it('reads the chain of a known peer only once', () => {
    const verifier = new PeerVerifier(new ManualClock(new Date()));
    const peer = presented(issuer.leaf({ identity: web }));
    const first = verifier.verify(peer, root.bundle, 'client');
    expect(first).toMatchObject({ id: web.dnsName, dnsNames: [web.dnsName], uris: [web.spiffeId] });
    expect(verifier.verify(peer, root.bundle, 'client')).toBe(first);
    expect(peer.reads).toBe(1);
  });

  it('asks again under other anchors and for another use', () => {
    const verifier = new PeerVerifier(new ManualClock(new Date()));
    const peer = presented(issuer.leaf({ identity: web }));
    verifier.verify(peer, root.bundle, 'client');
    verifier.verify(peer, root.bundle, 'server');
    expect(refusal(() => verifier.verify(peer, TestCa.create().bundle, 'client'))).toMatch(
      /^mesh_untrusted: peer refused: /,
    );
    expect(peer.reads).toBe(3);
  });

  it('keeps no refusal', () => {
    const verifier = new PeerVerifier(new ManualClock(new Date()));
    const peer = presented(TestCa.create().leaf({ identity: web }));
    for (let i = 0; i < 2; i++) refusal(() => verifier.verify(peer, root.bundle, 'client'));
    expect(peer.reads).toBe(2);
  });

  it('forgets a verdict with the first end on the path, be it of a certificate above the leaf', async () => {
    const clock = new ManualClock(new Date());
    const verifier = new PeerVerifier(clock);
    const brief = root.intermediate({ notAfter: new Date(Date.now() + 60_000) });
    const peer = presented(brief.leaf({ identity: web }));
    verifier.verify(peer, root.bundle, 'client');
    await clock.advance(61_000);
    expect(refusal(() => verifier.verify(peer, root.bundle, 'client'))).toMatch(
      /^mesh_expired: peer refused: /,
    );
  });

  it('forgets the peer that came longest ago when it knows too many', () => {
    const verifier = new PeerVerifier(new ManualClock(new Date()), 2);
    const [a, b, c] = [0, 1, 2].map(() => presented(issuer.leaf({ identity: web })));
    for (const peer of [a!, b!, a!, c!, a!, b!]) verifier.verify(peer, root.bundle, 'client');
    expect([a!.reads, b!.reads, c!.reads]).toEqual([1, 2, 1]);
  });
});
