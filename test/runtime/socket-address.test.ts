import fc from 'fast-check';
import { formatSocketAddress, isLoopback, parseSocketAddress } from '../../src/runtime/socket-address.ts';

describe('a socket address', () => {
  it.each([
    ['127.0.0.1:0', '127.0.0.1', 0],
    ['0.0.0.0:65535', '0.0.0.0', 65535],
    ['[::]:4143', '::', 4143],
    ['[2001:db8::1]:80', '2001:db8::1', 80],
    ['[::ffff:10.0.0.1]:80', '::ffff:10.0.0.1', 80],
    ['localhost:80', 'localhost', 80],
    ['localhost.:80', 'localhost.', 80],
    ['Kedge-Identity.kedge.svc.cluster.local:8080', 'kedge-identity.kedge.svc.cluster.local', 8080],
    ['10-0-0-1.ns.pod:1', '10-0-0-1.ns.pod', 1],
  ])('is read from %s', (text, host, port) => {
    expect(parseSocketAddress(text)).toEqual({ host, port });
  });

  it.each([
    '',
    ':80',
    '80',
    '10.0.0.1',
    '10.0.0.1:',
    '10.0.0.1:65536',
    '10.0.0.1:-1',
    '10.0.0.1:+1',
    '10.0.0.1:8e1',
    '10.0.0.1:000080',
    '10.0.0.256:80',
    '10.0.0:80',
    '010.0.0.1:80',
    '::1:80',
    '[::1]',
    '[::1]80',
    '[10.0.0.1]:80',
    '[localhost]:80',
    '[::1:80',
    'http://host:80',
    'user@host:80',
    'host name:80',
    'host..:80',
    '-host:80',
    'host_name:80',
    'host:80/path',
    ' host:80',
    `${'a'.repeat(64)}:80`,
  ])('is not read from %j', (text) => {
    expect(parseSocketAddress(text)).toBeUndefined();
  });

  it('is read back from its text', () => {
    const hosts = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.domain().map((name) => name.toLowerCase()),
    );
    fc.assert(
      fc.property(hosts, fc.integer({ min: 0, max: 65535 }), (host, port) => {
        expect(parseSocketAddress(formatSocketAddress({ host, port }))).toEqual({ host, port });
      }),
      { numRuns: 300 },
    );
  });
});

describe('isLoopback', () => {
  it.each(['127.0.0.1', '127.255.0.3', '::1', 'localhost.'])('holds for %s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each(['10.0.0.1', '0.0.0.0', '::', 'localhost', 'localhost.example.', '127.example.org'])(
    'does not hold for %s',
    (host) => {
      expect(isLoopback(host)).toBe(false);
    },
  );
});
