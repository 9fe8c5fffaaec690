import { ConfigError, readEnvironment, type Setting } from '../../src/runtime/env.ts';
import { socketAddressFormat } from '../../src/runtime/formats.ts';
import { processSettings } from '../../src/runtime/process-settings.ts';
import * as s from '../../src/runtime/settings.ts';

const about = { name: 'X', help: 'What it is for.' };

/** What one setting makes of a text; `refused` and the expectation where it does not take it. */
const read = (setting: Setting<unknown>, value: string | undefined): unknown => {
  try {
    return readEnvironment({ setting }, { X: value }).setting;
  } catch (error) {
    if (error instanceof ConfigError) return `refused: ${error.problems[0]!.expected}`;
    throw error;
  }
};

describe('a setting', () => {
  it.each([
    ['text', s.text(about), ' as it is ', ' as it is '],
    ['filled text', s.filledText(about), ' as it is ', ' as it is '],
    ['secret', s.secret(about), 'hunter2', 'hunter2'],
    ['integer', s.integer(about), ' -12 ', -12],
    ['boolean', s.boolean(about), 'true', true],
    ['boolean', s.boolean(about), 'false', false],
    ['duration', s.duration(about), '24h0m0s', 86_400_000],
    ['proxy duration', s.proxyDuration(about), '1d', 86_400_000],
    ['ratio', s.ratio(about), '0.25', 0.25],
    ['ratio', s.ratio(about), '1', 1],
    ['socket address', s.socketAddress(about), '[::1]:80', { host: '::1', port: 80 }],
    ['one of', s.oneOf({ ...about, values: ['any', 'meshed'] }), 'meshed', 'meshed'],
    [
      'list',
      s.list({ ...about, item: socketAddressFormat }),
      'a:1, b:2,',
      [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
    ],
    ['DNS name', s.dnsName(about), 'cluster.local', 'cluster.local'],
    ['DNS label', s.dnsLabel(about), 'kedge', 'kedge'],
    ['path', s.path(about), '/var/run/a b', '/var/run/a b'],
  ])('of kind %s reads %4$j', (_, setting, value, expected) => {
    expect(read(setting, value)).toEqual(expected);
  });

  it('reads networks, ports and URLs as values of their own', () => {
    const values = readEnvironment(
      {
        networks: s.cidrs({ ...about, name: 'A', fallback: '10.0.0.0/8,fd00::/8' }),
        ports: s.portSet({ ...about, name: 'B', fallback: '80,100-110' }),
        keys: s.url({ ...about, name: 'C', fallback: 'https://issuer.example/keys?v=1' }),
      },
      {},
    );
    expect(values.networks.map(String)).toEqual(['10.0.0.0/8', 'fd00::/8']);
    expect([values.ports.has(105), values.ports.has(111)]).toEqual([true, false]);
    expect(values.keys.href).toBe('https://issuer.example/keys?v=1');
  });

  it.each([
    [s.filledText(about), ' \t', 'a text that is not blank'],
    [s.integer(about), '1.5', 'an integer'],
    [s.integer(about), '1e3', 'an integer'],
    [s.integer(about), '9007199254740993', 'an integer'],
    [s.integer({ ...about, min: 1 }), '0', 'an integer of at least 1'],
    [s.integer({ ...about, max: 5 }), '6', 'an integer of at most 5'],
    [s.boolean(about), 'yes', '"true" or "false"'],
    [s.boolean(about), 'toString', '"true" or "false"'],
    [
      s.duration({ ...about, min: 1000, max: 86_400_000 }),
      '25h',
      'a duration such as "24h0m0s" or "20s" from 1s to 24h',
    ],
    [s.proxyDuration(about), '24h0m0s', 'a duration such as "10s" or "300ms"'],
    [s.ratio(about), '1.01', 'a number from 0 to 1'],
    [s.ratio(about), '-0.1', 'a number from 0 to 1'],
    [s.ratio(about), '0x1', 'a number from 0 to 1'],
    [s.socketAddress(about), '8080', 'an address such as "10.0.0.1:8080", "[::1]:8080" or "name:8080"'],
    [s.oneOf({ ...about, values: ['any', 'meshed'] }), 'all', '"any" or "meshed"'],
    [
      s.cidrs(about),
      '10.0.0.0/8,10.0.0.0/40',
      'a list separated by commas, each item a network such as "10.0.0.0/8" or "fd00::/8"',
    ],
    [s.dnsName(about), 'Cluster.local', 'a DNS name in lower case such as "cluster.local"'],
    [s.dnsName(about), `${'a.'.repeat(127)}a`, 'a DNS name in lower case such as "cluster.local"'],
    [s.dnsName(about), 'cluster..local', 'a DNS name in lower case such as "cluster.local"'],
    [s.dnsLabel(about), 'kedge.io', 'a DNS label in lower case such as "kedge"'],
    [s.dnsLabel(about), '-kedge', 'a DNS label in lower case such as "kedge"'],
    [s.path(about), 'a\0b', 'the path of a file or directory'],
    [s.portSet(about), '0', 'ports and ranges of ports such as "80,8000-8010"'],
    [
      s.url(about),
      'ftp://a',
      'a URL that begins with https:// or http:// and holds no user name or password',
    ],
    [
      s.url(about),
      'https://u:p@a',
      'a URL that begins with https:// or http:// and holds no user name or password',
    ],
    [s.url(about), '/keys', 'a URL that begins with https:// or http:// and holds no user name or password'],
  ])('is refused with what was expected (%#)', (setting, value, expected) => {
    expect(read(setting, value)).toBe(`refused: ${expected}`);
  });

  it('is undefined where it is neither set nor required and has no fallback', () => {
    const value: number | undefined = readEnvironment({ n: s.integer(about) }, {}).n;
    expect(value).toBeUndefined();
  });

  it('is never undefined to the type checker where it has a fallback or is required', () => {
    const table = {
      fallen: s.integer({ ...about, name: 'A', fallback: '3' }),
      required: s.oneOf({ ...about, name: 'B', values: ['x', 'y'], required: true }),
    };
    const values: { fallen: number; required: 'x' | 'y' } = readEnvironment(table, { B: 'y' });
    expect(values).toEqual({ fallen: 3, required: 'y' });
  });

  it('whose fallback it would refuse itself cannot be declared', () => {
    expect(() => s.integer({ ...about, fallback: 'none' })).toThrow('expected an integer');
  });
});

describe('a table of settings', () => {
  it('shows itself as data for the documentation', () => {
    expect(s.settingRows(processSettings)).toEqual([
      {
        name: 'KEDGE_LOG_LEVEL',
        expected: '"debug" or "info" or "warn" or "error"',
        fallback: 'info',
        required: false,
        help: expect.stringContaining('level') as string,
      },
      {
        name: 'KEDGE_SHUTDOWN_GRACE_PERIOD',
        expected: 'a duration such as "24h0m0s" or "20s"',
        fallback: '25s',
        required: false,
        help: expect.stringContaining('SIGTERM') as string,
      },
    ]);
  });
});
