import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { freePorts } from '../../../src/cli/demo/free-ports.ts';
import { readServerHello } from '../../../src/cli/demo/server-hello.ts';
import { WireTap } from '../../../src/cli/demo/wire-tap.ts';
import { TestCa } from '../../support/test-ca.ts';

/** What a real server answers to a real client, as the bytes on the wire. */
async function answerOf(ecdhCurve: string, ciphers: string): Promise<Buffer> {
  const { key, chain } = TestCa.create().leaf({ dnsName: 'api.test' });
  const server = tls.createServer({
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    cert: chain.map(({ pem }) => pem).join(''),
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const [port = 0] = await freePorts(1);
  const wire = await WireTap.listen(port, (server.address() as AddressInfo).port, '127.0.0.2');
  const options = { port, host: '127.0.0.1', ecdhCurve, ciphers, rejectUnauthorized: false } as const;
  const client = tls.connect({ ...options, minVersion: 'TLSv1.3' });
  await new Promise((resolve, reject) => client.once('secureConnect', resolve).once('error', reject));
  client.destroy();
  await wire.close();
  server.close();
  return Buffer.concat(wire.captured[0]?.toClient ?? []);
}

describe('readServerHello', () => {
  it.each([
    ['X25519', 'TLS_AES_128_GCM_SHA256', 'X25519'],
    ['P-256', 'TLS_CHACHA20_POLY1305_SHA256', 'secp256r1'],
    ['X25519MLKEM768', 'TLS_AES_256_GCM_SHA384', 'X25519MLKEM768'],
  ])('reads what OpenSSL settled with a client of %s and %s', async (curve, cipher, group) => {
    expect(readServerHello(await answerOf(curve, cipher))).toEqual({ version: 'TLS 1.3', cipher, group });
  });

  it('asks for more while the record is incomplete', async () => {
    const bytes = await answerOf('X25519', 'TLS_AES_128_GCM_SHA256');
    const whole = 5 + bytes.readUInt16BE(3);
    for (let length = 0; length < whole; length++) {
      expect(readServerHello(bytes.subarray(0, length))).toBeUndefined();
    }
    expect(readServerHello(bytes.subarray(0, whole))).toBeDefined();
  });

  it('finds none in an alert or in plain HTTP', () => {
    expect(readServerHello(Buffer.from('15030300020228', 'hex'))).toBeUndefined();
    expect(readServerHello(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))).toBeUndefined();
  });
});
