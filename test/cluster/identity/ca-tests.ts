import { TrustBundle } from '../../../src/pki/trust-bundle.ts';
import { verifyChain } from '../../../src/pki/verify-chain.ts';
import { eventually } from '../../support/eventually.ts';
import type { IdentityProcess } from './identity-process.ts';
import { certificatesOf, type RunningIdentity } from './running-identity.ts';

/** The CA of the mesh in Secrets: made, taken from either pair of names, made again, renewed. */
export function caTests(identity: RunningIdentity): void {
  const loaded = (replica: IdentityProcess): unknown =>
    replica.withMessage('issuer loaded').at(-1)?.['fingerprint'];
  const allLoad = (fingerprint: string, replicas = identity.replicas): Promise<void> =>
    eventually(() => {
      for (const replica of replicas) expect(loaded(replica)).toBe(fingerprint);
    });
  /** Who signs for whoever asks now. */
  const signer = async (): Promise<string | undefined> =>
    certificatesOf(await identity.certify(await identity.token()))[1]?.fingerprint;

  it('is one of two replicas that begin at once, with no right to create a Secret', async () => {
    const anchor = await identity.certificateIn('kedge-trust-anchor');
    const issuer = await identity.certificateIn('kedge-issuer');
    const bundle = TrustBundle.parsePem(identity.anchors);
    expect(bundle.anchors.map(({ fingerprint }) => fingerprint)).toEqual([anchor.fingerprint]);
    verifyChain({ leaf: issuer, intermediates: [], bundle, at: new Date(), usage: 'ca' });
    await allLoad(issuer.fingerprint);
    for (const replica of identity.replicas) {
      await eventually(async () => expect(await replica.ready()).toContain('200 ready'));
      expect(replica.lines.filter(({ level }) => level === 'error')).toEqual([]);
    }
    const warnings = (await identity.eventsIn('kedge')).filter(
      ({ type, reason }) => type === 'Warning' && reason !== 'CertificateNearsEnd',
    );
    expect(warnings).toEqual([]);
  });

  it('is taken under either pair of names, while it runs, and not under both at once', async () => {
    const [one, two] = [await identity.newIssuer(), await identity.newIssuer()];
    await identity.putIssuer({ 'crt.pem': one.certificate, 'key.pem': one.key });
    await allLoad(one.fingerprint);
    expect(await signer()).toBe(one.fingerprint);

    const both = { 'tls.crt': two.certificate, 'tls.key': two.key };
    await identity.putIssuer({ 'crt.pem': one.certificate, 'key.pem': one.key, ...both });
    await eventually(async () => {
      for (const replica of identity.replicas)
        expect(await replica.ready()).toMatch(/degraded: issuer: .*got both/);
    });
    expect(await signer()).toBe(one.fingerprint);

    await identity.putIssuer(both);
    await allLoad(two.fingerprint);
    expect(await signer()).toBe(two.fingerprint);
    await eventually(async () => expect(await identity.first.ready()).toBe('200 ready\n'));
  }, 60_000);

  it('is taken from a Secret of the type for TLS, whose own names are empty', async () => {
    const issuer = await identity.newIssuer();
    await identity.kubectl(['delete', 'secret', 'kedge-issuer']);
    await eventually(async () => expect(await identity.first.ready()).toContain('degraded: issuer: '));
    await identity.kubectl(['create', '--filename=-'], {
      ...{ apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: { name: 'kedge-issuer' } },
      stringData: { 'tls.crt': '', 'tls.key': '', 'crt.pem': issuer.certificate, 'key.pem': issuer.key },
    });
    await allLoad(issuer.fingerprint);
    expect(await signer()).toBe(issuer.fingerprint);

    await identity.kubectl(['delete', 'secret', 'kedge-issuer']);
    const opaque = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'kedge-issuer' } };
    const stringData = { 'tls.crt': issuer.certificate, 'tls.key': issuer.key };
    await identity.kubectl(['create', '--filename=-'], { ...opaque, stringData });
    await eventually(async () => expect(await identity.first.ready()).toBe('200 ready\n'));
  }, 60_000);

  it('is made again under the same anchor when its Secret is emptied, once, while those who run go on signing', async () => {
    const before = await identity.certificateIn('kedge-issuer');
    const anchor = await identity.certificateIn('kedge-trust-anchor');
    await identity.kubectl(['patch', 'secret', 'kedge-issuer', '--patch={"data":null}']);
    const token = await identity.token();
    const after = await eventually(async () => {
      expect((await identity.certify(token)).status).toBe(0);
      return identity.certificateIn('kedge-issuer');
    });
    expect(after.fingerprint).not.toBe(before.fingerprint);
    await allLoad(after.fingerprint);
    const made = (): unknown[] =>
      identity.replicas.flatMap((replica) => replica.withMessage('issuer made anew'));
    await eventually(() => expect(made()).toHaveLength(1));
    expect((await identity.certificateIn('kedge-trust-anchor')).fingerprint).toBe(anchor.fingerprint);
    expect(await identity.bundleIn('kedge')).toBe(identity.anchors);
    expect(await signer()).toBe(after.fingerprint);
    await eventually(async () => {
      expect(await identity.first.ready()).toBe('200 ready\n');
      const reasons = (await identity.eventsIn('kedge')).map(({ reason }) => reason);
      expect(reasons).toEqual(expect.arrayContaining(['IssuerUpdateSkipped', 'IssuerUpdated']));
    });
  }, 60_000);

  it('is renewed past two thirds of its life, by one of the replicas that see it', async () => {
    const old = await identity.newIssuer(60_000);
    await identity.putIssuer({ 'tls.crt': old.certificate, 'tls.key': old.key });
    await using third = identity.another();
    await using fourth = identity.another();
    await Promise.all([third.line('own certificate renewed'), fourth.line('own certificate renewed')]);
    const all = [...identity.replicas, third, fourth];
    await eventually(() => expect(all.flatMap((one) => one.withMessage('issuer renewed'))).toHaveLength(1));
    const renewed = await identity.certificateIn('kedge-issuer');
    expect(all.flatMap((one) => one.withMessage('issuer renewed'))[0]?.['fingerprint']).toBe(
      renewed.fingerprint,
    );
    await allLoad(renewed.fingerprint, all);
  }, 60_000);
}
