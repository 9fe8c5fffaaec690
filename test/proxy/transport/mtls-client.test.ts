import { refusalOf } from '../../support/refusal.ts';
import { TestCa } from '../../support/test-ca.ts';
import type { TestLeaf } from '../../support/test-ca.ts';
import type { Credentials } from '../../../src/pki/credentials.ts';
import type { Take } from '../../../src/proxy/transport/engine.ts';
import type { SocketAddress } from '../../../src/runtime/socket-address.ts';
import { Bench, api, fate, mesh, until, web } from './bench.ts';
import {
  apiLeaf,
  closedPort,
  expired,
  foreignServer,
  issuer,
  own,
  terminating,
  webLeaf,
  pssLeaf,
  uriConstrainedLeaf,
} from './mesh.ts';

describe('mesh TLS as a client', () => {
  const dial = (bench: Bench, address: SocketAddress, credentials: Credentials = webLeaf.credentials()) =>
    bench.dialMesh(bench.engine(credentials), address);

  it('proves who it is and knows whom it reached', async () => {
    await using bench = new Bench();
    const { address, outcomes } = await terminating(bench, bench.engine(apiLeaf.credentials()));
    const connection = await dial(bench, address);
    expect(connection.peer?.id).toBe(api.dnsName);
    expect((await outcomes.next()).peer?.id).toBe(web.dnsName);
  });

  it('accepts an identity that is a URI of the certificate, under a server name of its own', async () => {
    await using bench = new Bench();
    const { address } = await terminating(bench, bench.engine(apiLeaf.credentials()));
    const engine = bench.engine(webLeaf.credentials());
    const connection = await bench.dialMesh(engine, address, { expectedIdentity: api.spiffeId });
    expect(connection.peer?.id).toBe(api.dnsName);
  });

  it.each<[string, TestLeaf, string]>([
    ['another CA with the right name', TestCa.create().leaf({ identity: api }), 'mesh_untrusted'],
    [
      'the right CA with another name',
      issuer.leaf({ identity: mesh.identity('shop', 'impostor') }),
      'mesh_wrong_identity',
    ],
    ['a name in another case', issuer.leaf({ dnsName: api.dnsName.toUpperCase() }), 'mesh_wrong_identity'],
    [
      'a wildcard that would fit',
      issuer.leaf({ dnsName: `*.${api.dnsName.split('.').slice(1).join('.')}` }),
      'mesh_wrong_identity',
    ],
    ['the right common name only', issuer.leaf({ commonName: 'api', names: [] }), 'mesh_wrong_identity'],
    ['a certificate that is signed with RSA-PSS', pssLeaf(api), 'mesh_untrusted'],
    ['a chain with a constraint on URIs, though it keeps to it', uriConstrainedLeaf(api), 'mesh_untrusted'],
    ['an expired certificate', issuer.leaf({ identity: api, ...expired }), 'mesh_expired'],
    [
      'a certificate for clients only',
      issuer.leaf({ identity: api, extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] }),
      'mesh_untrusted',
    ],
  ])('refuses a server with %s', async (_what, leaf, code) => {
    await using bench = new Bench();
    const address = await foreignServer(bench, { ...own(leaf), minVersion: 'TLSv1.3' });
    expect(await refusalOf(dial(bench, address))).toMatch(new RegExp(`^${code}: `));
  });

  it('says whom it expected and whom it got', async () => {
    await using bench = new Bench();
    const address = await foreignServer(bench, own(issuer.leaf({ dnsName: 'impostor.test' })));
    expect(await refusalOf(dial(bench, address))).toBe(
      `mesh_wrong_identity: expected the peer to be ${api.dnsName}, got impostor.test`,
    );
  });

  it('refuses a server that speaks TLS 1.2 at most', async () => {
    await using bench = new Bench();
    const address = await foreignServer(bench, { ...own(apiLeaf), maxVersion: 'TLSv1.2' });
    expect(await refusalOf(dial(bench, address))).toMatch(/^mesh_tls_version: /);
  });

  it('never offers a session of before', async () => {
    await using bench = new Bench();
    const reused: boolean[] = [];
    const address = await foreignServer(bench, { ...own(apiLeaf), minVersion: 'TLSv1.3' }, (socket) => {
      reused.push(socket.isSessionReused());
      socket.write('x');
    });
    const engine = bench.engine(webLeaf.credentials());
    const first: Take<number> = ({ length }) => (length > 0 ? { value: length, consumed: 0 } : undefined);
    for (let i = 0; i < 2; i++) {
      const connection = await bench.dialMesh(engine, address);
      await connection.readFront(first, { timeoutMs: 1000, maxBytes: 10 });
    }
    expect(reused).toEqual([false, false]);
  });

  it.each([
    ['TLS 1.3 and nothing else', '002b' + '0003' + '020304'],
    ['AES-128-GCM first', '0006' + '1301' + '1302' + '1303'],
    ['the hybrid group first', '000a' + '000a' + '0008' + '11ec' + '001d' + '0017' + '0018'],
    ['its server name', Buffer.from(api.dnsName).toString('hex')],
  ])('offers %s', async (_what, hex) => {
    await using bench = new Bench();
    const hello = Promise.withResolvers<Buffer>();
    const address = await bench.serve((socket) => socket.once('data', hello.resolve));
    dial(bench, address).catch(() => undefined);
    expect((await hello.promise).toString('hex')).toContain(hex);
  });

  it('refuses with the timeout a server that accepts and says nothing', async () => {
    await using bench = new Bench();
    const { address, sockets } = await bench.hold();
    const dialled = refusalOf(dial(bench, address));
    await until(() => sockets.length === 1);
    await bench.clock.advance(1000);
    expect(await dialled).toMatch(
      /^connect_timeout: expected api\.shop.* within 1000 ms, got no connection$/,
    );
    expect(await fate(sockets[0]!)).not.toBe('');
  });

  it('tells a refused port and a reset in the middle of TLS apart', async () => {
    await using bench = new Bench();
    const cutting = await bench.serve((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect(await refusalOf(dial(bench, cutting))).toMatch(/^connection_reset: /);
    const closed = await closedPort();
    expect(await refusalOf(dial(bench, closed))).toMatch(/^connect_refused: /);
  });

  it('gives up at once when it is told to', async () => {
    await using bench = new Bench();
    const { address } = await bench.hold();
    const stop = new AbortController();
    const dialled = bench.dialMesh(bench.engine(webLeaf.credentials()), address, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(dialled).rejects.toThrow('enough');
    expect(bench.clock.pending).toBe(0);
  });

  it('does not dial before it has a certificate', async () => {
    await using bench = new Bench();
    const { address, sockets } = await bench.hold();
    expect(await refusalOf(bench.dialMesh(bench.engine(), address))).toMatch(/^mesh_no_certificate: /);
    expect(sockets).toEqual([]);
  });
});
