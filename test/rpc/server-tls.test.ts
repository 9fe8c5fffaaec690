import { once } from 'node:events';
import * as net from 'node:net';
import * as tls from 'node:tls';

import type { Credentials } from '../../src/pki/credentials.ts';
import { identityService } from '../../src/rpc/identity-api.ts';
import type { SocketAddress } from '../../src/runtime/socket-address.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { eventually } from '../support/eventually.ts';
import { connectRaw, tlsIdentity } from '../support/raw-grpc.ts';
import { clientIdentity, serverIdentity, startServer } from '../support/rpc-server.ts';
import type { TestServer } from '../support/rpc-server.ts';
import { TestCa } from '../support/test-ca.ts';
import type { TestLeafOptions } from '../support/test-ca.ts';

const path = '/io.linkerd.proxy.identity.Identity/Certify';

function service(peers: (string | undefined)[] = []) {
  return identityService({
    certify: async (_, call) => {
      peers.push(call.peer?.dnsNames[0]);
      return { leafCertificate: Buffer.from('leaf'), intermediateCertificates: [] };
    },
  });
}

function trusting(ca: TestCa): tls.ConnectionOptions {
  return { ca: ca.bundle.pem, servername: serverIdentity.dnsName, minVersion: 'TLSv1.3' };
}

/** Connects and says how the server ended it: with nothing, after TLS seemed done, or with a TLS alert. */
async function fate(address: SocketAddress, options: tls.ConnectionOptions): Promise<'kept' | 'cut'> {
  const socket = tls.connect({ ...address, ...options });
  return new Promise((resolve) => {
    socket.on('error', () => resolve('cut'));
    socket.on('close', () => resolve('cut'));
    // The server's SETTINGS: it has taken us for a client.
    socket.once('data', () => {
      resolve('kept');
      socket.destroy();
    });
  });
}

async function refusals(server: TestServer): Promise<string[]> {
  const text = await server.metrics.text();
  return [...text.matchAll(/kedge_grpc_connections_refused_total{reason="(\w+)"} (\d+)/g)].map(
    ([, reason = '', count = '']) => `${reason} ${count}`,
  );
}

describe('the TLS of a gRPC server', () => {
  it('serves an outside client that offers no ALPN and knows only field numbers', async () => {
    const peers: (string | undefined)[] = [];
    await using server = await startServer([service(peers)]);
    using client = await connectRaw(server.address, trusting(server.ca));
    expect(client.socket.alpnProtocol).toBe(false);
    const { status, messages } = await client.call(path, Buffer.from('0a0377656212017412016b', 'hex'));
    expect(status).toBe(0);
    expect(messages).toEqual([Buffer.from('0a046c656166', 'hex')]);
    expect(peers).toEqual([undefined]);
  });

  it('serves a client that offers h2, and takes its certificate', async () => {
    const peers: (string | undefined)[] = [];
    await using server = await startServer([service(peers)]);
    const own = server.ca.leaf({ identity: clientIdentity }).credentials();
    using client = await connectRaw(server.address, {
      ...trusting(server.ca),
      ...tlsIdentity(own),
      ALPNProtocols: ['h2'],
    });
    expect(client.socket.alpnProtocol).toBe('h2');
    expect((await client.call(path, Buffer.alloc(0))).status).toBe(0);
    expect(peers).toEqual([clientIdentity.dnsName]);
  });

  it('refuses a client that offers only protocols it does not speak', async () => {
    await using server = await startServer([service()]);
    await expect(
      connectRaw(server.address, { ...trusting(server.ca), ALPNProtocols: ['http/1.1'] }),
    ).rejects.toThrow('no application protocol');
    await eventually(async () => expect(await refusals(server)).toEqual(['tls 1']));
  });

  it('refuses TLS 1.2', async () => {
    await using server = await startServer([service()]);
    await expect(
      connectRaw(server.address, { ...trusting(server.ca), minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }),
    ).rejects.toThrow(/protocol version/);
    await eventually(async () => expect(await refusals(server)).toEqual(['tls 1']));
  });

  it.each([
    ['X25519MLKEM768:X25519', 'X25519MLKEM768'],
    ['X25519', 'X25519'],
    ['P-256', 'prime256v1'],
    ['P-384', 'secp384r1'],
  ])('agrees with a client that offers %s on the group %s', async (ecdhCurve, group) => {
    await using server = await startServer([service()]);
    using client = await connectRaw(server.address, { ...trusting(server.ca), ecdhCurve });
    expect(client.socket.getEphemeralKeyInfo()).toMatchObject({ name: group });
    expect(client.socket.getCipher().name).toBe('TLS_AES_128_GCM_SHA256');
  });

  const wrong: [string, (ca: TestCa) => Credentials][] = [
    ['of another CA with the right name', () => leafOf(TestCa.create())],
    ['of another CA that has the same name', (ca) => leafOf(TestCa.create({ commonName: nameOf(ca) }))],
    ['that has expired', (ca) => leafOf(ca, { notAfter: new Date(Date.now() - 1000) })],
    ['that is not valid yet', (ca) => leafOf(ca, { notBefore: new Date(Date.now() + 3_600_000) })],
    ['for servers only', (ca) => leafOf(ca, { extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] })],
    ['with a critical extension nobody knows', (ca) => leafOf(ca, { unknownCritical: true })],
    ['of a CA that may only name URIs', (ca) => leafOf(ca.intermediate({ permittedUri: ['cluster.local'] }))],
  ];
  it.each(wrong)('cuts a client with a certificate %s, and counts it', async (_, make) => {
    const peers: (string | undefined)[] = [];
    await using server = await startServer([service(peers)]);
    const options = { ...trusting(server.ca), ...tlsIdentity(make(server.ca)) };
    await expect(fate(server.address, options)).resolves.toBe('cut');
    await eventually(async () => expect(await refusals(server)).toEqual(['client_certificate 1']));
    expect(peers).toEqual([]);
  });

  it('takes a client whose anchor is an intermediate that is trusted by itself', async () => {
    const anchor = TestCa.create().intermediate().asAnchor();
    await using server = await startServer([service()], { ca: anchor });
    const options = {
      ...trusting(anchor),
      ...tlsIdentity(anchor.leaf({ identity: clientIdentity }).credentials()),
      allowPartialTrustChain: true,
    };
    await expect(fate(server.address, options)).resolves.toBe('kept');
  });

  it('shows a new certificate to new connections without a restart, and keeps the old connections', async () => {
    const ca = TestCa.create();
    const credentials = new LatestValue<Credentials | undefined>(leafOf(ca, { identity: serverIdentity }));
    await using server = await startServer([service()], { ca, credentials });
    using before = await connectRaw(server.address, trusting(ca));
    const renewed = leafOf(ca, { identity: serverIdentity });
    credentials.set(renewed);
    using after = await connectRaw(server.address, trusting(ca));
    expect(after.socket.getPeerX509Certificate()?.serialNumber.toLowerCase()).toBe(renewed.leaf.serial);
    expect(before.socket.getPeerX509Certificate()?.serialNumber).not.toBe(
      after.socket.getPeerX509Certificate()?.serialNumber,
    );
    expect((await before.call(path, Buffer.alloc(0))).status).toBe(0);
  });

  it('refuses the clients of an anchor that was removed, and cuts those that are connected', async () => {
    const [oldCa, newCa] = [TestCa.create(), TestCa.create()];
    const own = newCa.leaf({ identity: serverIdentity });
    const credentials = new LatestValue<Credentials | undefined>(
      own.credentials(newCa.bundle.union(oldCa.bundle)),
    );
    await using server = await startServer([service()], { ca: newCa, credentials });
    const old = { ...trusting(newCa), ...tlsIdentity(leafOf(oldCa)) };
    const young = { ...trusting(newCa), ...tlsIdentity(leafOf(newCa)) };
    using oldClient = await connectRaw(server.address, old);
    using youngClient = await connectRaw(server.address, young);
    expect((await oldClient.call(path, Buffer.alloc(0))).status).toBe(0);
    expect((await youngClient.call(path, Buffer.alloc(0))).status).toBe(0);
    credentials.set(own.credentials());
    await once(oldClient.socket, 'close');
    await expect(fate(server.address, old)).resolves.toBe('cut');
    expect((await youngClient.call(path, Buffer.alloc(0))).status).toBe(0);
    expect(await refusals(server)).toEqual(['no_longer_trusted 1', 'client_certificate 1']);
  });

  it('does not resume a session that a client saved', async () => {
    await using server = await startServer([service()]);
    const options = { ...trusting(server.ca), ...tlsIdentity(leafOf(server.ca)) };
    using client = await connectRaw(server.address, options);
    const sessions: Buffer[] = [];
    client.socket.on('session', (session) => sessions.push(session));
    await client.call(path, Buffer.alloc(0));
    // OpenSSL sends tickets all the same; they name sessions that nobody kept.
    const saved = [...sessions, client.socket.getSession()].filter((session) => session !== undefined);
    expect(saved.length).toBeGreaterThan(0);
    for (const session of saved) {
      using again = await connectRaw(server.address, { ...options, session });
      expect(again.socket.isSessionReused()).toBe(false);
    }
  });

  it('refuses every connection while it has no certificate, and serves as soon as it has one', async () => {
    const ca = TestCa.create();
    const credentials = new LatestValue<Credentials | undefined>(undefined);
    await using server = await startServer([service()], { ca, credentials });
    await expect(fate(server.address, trusting(ca))).resolves.toBe('cut');
    expect(await refusals(server)).toEqual(['no_credentials 1']);
    credentials.set(leafOf(ca, { identity: serverIdentity }));
    await expect(fate(server.address, trusting(ca))).resolves.toBe('kept');
  });

  it('refuses plaintext', async () => {
    await using server = await startServer([service()]);
    const socket = net.connect(server.address.port, server.address.host);
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    await eventually(async () => expect(await refusals(server)).toEqual(['tls 1']));
  });
});

function leafOf(ca: TestCa, options: TestLeafOptions = {}): Credentials {
  return ca.leaf({ identity: clientIdentity, ...options }).credentials();
}

function nameOf(ca: TestCa): string {
  return ca.certificate.subject.replace('CN=', '');
}
