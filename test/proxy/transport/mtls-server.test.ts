import { once } from 'node:events';

import { refusalOf } from '../../support/refusal.ts';
import { TestCa } from '../../support/test-ca.ts';
import type { TestLeaf } from '../../support/test-ca.ts';
import { Bench, fate, until, web, api } from './bench.ts';
import {
  apiLeaf,
  expired,
  foreignClient,
  issuer,
  own,
  pssLeaf,
  root,
  terminating,
  uriConstrainedLeaf,
  webLeaf,
} from './mesh.ts';

const twin = TestCa.create({ commonName: 'mesh root' }).intermediate({ commonName: 'mesh issuer' });

describe('mesh TLS as a server', () => {
  it('knows the client by its first name', async () => {
    await using bench = new Bench();
    const { address, outcomes } = await terminating(bench, bench.engine(apiLeaf.credentials()));
    const socket = foreignClient(bench, address, own(webLeaf));
    await once(socket, 'secureConnect');
    const connection = await outcomes.next();
    expect(connection.peer).toMatchObject({ id: web.dnsName, notAfter: webLeaf.certificate.notAfter });
    expect(connection.alpn).toBeUndefined();
    expect(connection.remote).toEqual({ host: '127.0.0.1', port: socket.localPort });
  });

  it('speaks TLS 1.3 with the hybrid group and AES-128-GCM, and sends its intermediate', async () => {
    await using bench = new Bench();
    const { address } = await terminating(bench, bench.engine(apiLeaf.credentials()));
    const socket = foreignClient(bench, address);
    await once(socket, 'secureConnect');
    expect(socket.authorized).toBe(true);
    expect(socket.getProtocol()).toBe('TLSv1.3');
    expect(socket.getEphemeralKeyInfo()).toMatchObject({ name: 'X25519MLKEM768' });
    expect(socket.getCipher().name).toBe('TLS_AES_128_GCM_SHA256');
  });

  it.each(['X25519', 'P-256', 'P-384'])(
    'falls back to %s for a client without the hybrid group',
    async (ecdhCurve) => {
      await using bench = new Bench();
      const { address, outcomes } = await terminating(bench, bench.engine(apiLeaf.credentials()));
      foreignClient(bench, address, { ecdhCurve });
      expect((await outcomes.next()).peer).toBeUndefined();
    },
  );

  it('keeps to the groups it was given, and refuses who has none of them', async () => {
    await using bench = new Bench();
    const engine = bench.engine(apiLeaf.credentials(), { groups: ['X25519'] });
    const { address } = await terminating(bench, engine);
    const fits = foreignClient(bench, address);
    await once(fits, 'secureConnect');
    expect(fits.getEphemeralKeyInfo()).toMatchObject({ name: 'X25519' });
    expect(await fate(foreignClient(bench, address, { ecdhCurve: 'P-256' }))).toMatch(/HANDSHAKE_FAILURE/);
  });

  it('lets a client without a certificate in as one without an identity', async () => {
    await using bench = new Bench();
    const { address, outcomes } = await terminating(bench, bench.engine(apiLeaf.credentials()));
    foreignClient(bench, address);
    expect((await outcomes.next()).peer).toBeUndefined();
  });

  it.each<[string, TestLeaf, string]>([
    ['of another CA with the right name', TestCa.create().leaf({ identity: web }), 'mesh_untrusted'],
    ['of another CA whose names are the same', twin.leaf({ identity: web }), 'mesh_untrusted'],
    ['that has expired', issuer.leaf({ identity: web, ...expired }), 'mesh_expired'],
    [
      'for servers only',
      issuer.leaf({ identity: web, extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }),
      'mesh_untrusted',
    ],
    ['that is a CA', issuer.leaf({ identity: web, isCa: true }), 'mesh_untrusted'],
    ['that is signed with RSA-PSS', pssLeaf(web), 'mesh_untrusted'],
    ['below a constraint on URIs, though it keeps to it', uriConstrainedLeaf(web), 'mesh_untrusted'],
    [
      'below a CA that may not sign names of this mesh',
      root.intermediate({ permittedDns: ['other.test'] }).leaf({ identity: web }),
      'mesh_untrusted',
    ],
    [
      'with a URI constraint above it, which OpenSSL would take',
      root.intermediate({ permittedUri: ['cluster.local'] }).leaf({ identity: web }),
      'mesh_untrusted',
    ],
  ])('resets a client with a certificate %s', async (_what, leaf, code) => {
    await using bench = new Bench();
    const { address, outcomes } = await terminating(bench, bench.engine(apiLeaf.credentials()));
    const socket = foreignClient(bench, address, own(leaf));
    expect(await refusalOf(outcomes.next())).toMatch(new RegExp(`^${code}: `));
    expect(await fate(socket)).toBe('ECONNRESET');
  });

  it('refuses TLS 1.2', async () => {
    await using bench = new Bench();
    const { address, outcomes } = await terminating(bench, bench.engine(apiLeaf.credentials()));
    const socket = foreignClient(bench, address, { ...own(webLeaf), maxVersion: 'TLSv1.2' });
    expect(await fate(socket)).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    expect(await refusalOf(outcomes.next())).toMatch(
      /^mesh_tls_version: expected a connection with the client at 127/,
    );
  });

  it('accepts a client below an anchor that is not self-signed', async () => {
    await using bench = new Bench();
    const bundle = issuer.asAnchor().bundle;
    const { address, outcomes } = await terminating(bench, bench.engine(apiLeaf.credentials(bundle)));
    foreignClient(bench, address, own(webLeaf));
    expect((await outcomes.next()).peer?.id).toBe(web.dnsName);
  });

  it('shows the newest certificate, and trusts the newest anchors, from one connection to the next', async () => {
    await using bench = new Bench();
    const engine = bench.engine(apiLeaf.credentials());
    const { address, outcomes } = await terminating(bench, engine);
    foreignClient(bench, address, own(webLeaf));
    expect((await outcomes.next()).peer?.id).toBe(web.dnsName);
    const next = TestCa.create();
    engine.credentials.set(next.leaf({ identity: api }).credentials());
    const socket = foreignClient(bench, address, { ...own(webLeaf), ca: [next.certificate.pem] });
    await once(socket, 'secureConnect');
    expect(socket.authorized).toBe(true);
    expect(await refusalOf(outcomes.next())).toMatch(/^mesh_untrusted: /);
  });

  it('never resumes a session, so that a saved one is worth nothing once its anchor is removed', async () => {
    await using bench = new Bench();
    const engine = bench.engine(apiLeaf.credentials());
    const { address, outcomes } = await terminating(bench, engine);
    const first = foreignClient(bench, address, own(webLeaf));
    const [session] = (await once(first.resume(), 'session')) as [Buffer];
    expect((await outcomes.next()).peer?.id).toBe(web.dnsName);
    engine.credentials.set(TestCa.create().leaf({ identity: api }).credentials());
    const second = foreignClient(bench, address, { ...own(webLeaf), session, rejectUnauthorized: false });
    expect(await refusalOf(outcomes.next())).toMatch(/^mesh_untrusted: /);
    expect(second.isSessionReused()).toBe(false);
    expect(await fate(second)).toBe('ECONNRESET');
  });

  it('selects the one protocol it is asked to, and none otherwise', async () => {
    await using bench = new Bench();
    const engine = bench.engine(apiLeaf.credentials());
    const direct = await terminating(bench, engine, 'transport.l5d.io/v1');
    foreignClient(bench, direct.address, { ALPNProtocols: ['h2', 'transport.l5d.io/v1'] });
    expect((await direct.outcomes.next()).alpn).toBe('transport.l5d.io/v1');
    foreignClient(bench, direct.address);
    expect((await direct.outcomes.next()).alpn).toBeUndefined();
    const plain = await terminating(bench, engine);
    foreignClient(bench, plain.address, { ALPNProtocols: ['h2'] });
    expect((await plain.outcomes.next()).alpn).toBeUndefined();
  });

  it('refuses a client that offers other protocols only', async () => {
    await using bench = new Bench();
    const engine = bench.engine(apiLeaf.credentials());
    const { address, outcomes } = await terminating(bench, engine, 'transport.l5d.io/v1');
    const socket = foreignClient(bench, address, { ALPNProtocols: ['h2'] });
    expect(await fate(socket)).toMatch(/NO_APPLICATION_PROTOCOL/);
    expect(await refusalOf(outcomes.next())).toMatch(/^mesh_alpn: /);
  });

  it('gives up a client that does not finish TLS', async () => {
    await using bench = new Bench();
    const { address, outcomes } = await terminating(bench, bench.engine(apiLeaf.credentials()));
    const socket = await bench.connect(address);
    socket.write(Buffer.from('1603010200010001fc0303', 'hex'));
    const end = fate(socket);
    await until(() => outcomes.count === 1);
    await bench.clock.advance(1000);
    expect(await refusalOf(outcomes.next())).toBe(
      'mesh_timeout: expected TLS within 1000 ms, got no end of it',
    );
    expect(await end).toBe('ECONNRESET');
  });

  it('notices a client that leaves in the middle of TLS', async () => {
    await using bench = new Bench();
    const { address, outcomes } = await terminating(bench, bench.engine(apiLeaf.credentials()));
    const socket = await bench.connect(address);
    socket.write(Buffer.from('1603010200010001fc0303', 'hex'));
    await until(() => outcomes.count === 1);
    socket.resetAndDestroy();
    expect(await refusalOf(outcomes.next())).toMatch(/^connection_reset: /);
  });

  it('notices a client that ends its side in the middle of TLS', async () => {
    await using bench = new Bench();
    const { address, outcomes } = await terminating(bench, bench.engine(apiLeaf.credentials()));
    const socket = await bench.connect(address);
    socket.write(Buffer.from('1603010200010001fc0303', 'hex'));
    await until(() => outcomes.count === 1);
    socket.end();
    expect(await refusalOf(outcomes.next())).toMatch(/^connection_reset: /);
  });

  it('notices a client that refuses its certificate and leaves', async () => {
    await using bench = new Bench();
    const { address, outcomes } = await terminating(bench, bench.engine(apiLeaf.credentials()));
    const socket = foreignClient(bench, address, { ca: [], rejectUnauthorized: true });
    expect(await fate(socket)).toBe('UNABLE_TO_GET_ISSUER_CERT_LOCALLY');
    expect(await refusalOf(outcomes.next())).toMatch(/^connection_reset: /);
  });

  it('refuses everybody before it has a certificate', async () => {
    await using bench = new Bench();
    const { address, outcomes } = await terminating(bench, bench.engine());
    const socket = foreignClient(bench, address);
    expect(await fate(socket)).toBe('ECONNRESET');
    expect(await refusalOf(outcomes.next())).toBe(
      'mesh_no_certificate: expected a certificate of our own, got none yet',
    );
  });
});
