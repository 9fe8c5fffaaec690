import { problemsOf } from '../support/mesh.ts';

const workload = 'workloads: {shop/a: {addresses: [10.1.0.5], proxy: {inboundPort: 4143}';

/** A file that is good but for what `entry` adds to a workload. */
const withWorkload = (entry: string) => `${workload}, ${entry}}}`;
const withPort = (entry: string) => withWorkload(`ports: {80: ${entry}}`);
const withRule = (entry: string) => withPort(`{authorizations: [${entry}]}`);
const withEndpoint = (entry: string) =>
  `${workload}}}\nservices: {shop/a: {ports: {80: {endpoints: [${entry}]}}}}`;

describe('a destination file that is no YAML', () => {
  it.each([
    ['an empty file', '', 'line 1, column 1: expected a mapping, got nothing'],
    ['a list', '- a', 'line 1, column 1: expected a mapping, got a list'],
    ['a bracket that is left open', 'services: [', /^line 1, column \d+: expected well-formed YAML: "/],
    [
      'a second document',
      'services: {}\n---\nservices: {}',
      /^line 2, column 1: expected well-formed YAML: "/,
    ],
    [
      'a key given twice',
      'nodes: {}\nnodes: {}',
      'line 2, column 1: nodes: expected each key once, got it again',
    ],
    ['a tag', 'nodes: !!binary aGk=', /^line 1, column 8: expected well-formed YAML: "/],
    ['a key that is a mapping', '? {a: 1}\n: 2', /expected well-formed YAML/],
    [
      'an alias of nothing',
      'nodes:\n  n1: &a { zone: a }\n  n2: *b',
      'line 3, column 7: nodes.n2: expected an anchor "b" before its alias, got none',
    ],
    [
      'an alias before its anchor',
      'nodes:\n  n1: *a\n  n2: &a { zone: a }',
      'line 2, column 7: nodes.n1: expected an anchor "a" before its alias, got none',
    ],
    [
      'a key twice in a list',
      'services: {shop/a: {ports: {80: {endpoints: [{}, {port: 1, port: 2}]}}}}',
      'line 1, column 60: services.shop/a.ports.80.endpoints[1].port: expected each key once, got it again',
    ],
    [
      'a key of several lines, in one line',
      'nodes: {"a\\n\\u202e": {zone: x}}',
      'line 1, column 9: nodes."a\\n\\u{202e}": expected a DNS name in lower case, got "a\\n\\u{202e}"',
    ],
    ['an alias of itself', 'nodes: &a [*a]', /expected well-formed YAML|expected a mapping, got a list/],
  ])('refuses %s', (_, text, expected) => {
    expect(problemsOf(text)[0]).toEqual(
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    );
  });

  it('takes a port for the same key however it is spelled', () => {
    const text = 'services:\n  shop/a:\n    ports:\n      80: {}\n      "80": {}';
    expect(problemsOf(text)).toEqual([
      'line 5, column 7: services.shop/a.ports.80: expected each key once, got it again',
    ]);
  });

  it('refuses anchors that a few lines blow up to billions', () => {
    const levels = 'abcdefgh'.split('').map((name, i, all) => {
      const before = all[i - 1];
      return `${name}: &${name} [${Array.from({ length: 9 }, () => (before === undefined ? 'x' : `*${before}`)).join()}]`;
    });
    expect(problemsOf(levels.join('\n'))).toEqual([expect.stringContaining('Excessive alias count')]);
  });

  it('takes one snippet for thousands of workloads', () => {
    const workloads = Array.from(
      { length: 2000 },
      (_, i) =>
        `  shop/w${i}: { addresses: [10.0.${i >> 8}.${i & 255}], proxy: ${i === 0 ? '&p {}' : '*p'} }`,
    );
    expect(problemsOf(['workloads:', ...workloads].join('\n'))).toEqual([]);
  });

  it('refuses nesting that would exhaust the stack', () => {
    expect(problemsOf('['.repeat(50_000))[0]).toContain('expected well-formed YAML');
  });

  it('shows the first ten problems in the order of the text and counts the rest', () => {
    const text = Array.from({ length: 1500 }, (_, i) => `wrong${i}: 1`).join('\n');
    const shown = problemsOf(text);
    expect(shown).toHaveLength(11);
    expect(shown[0]).toMatch(
      /^line 1, column 1: wrong0: expected no such field; there are clusterNetworks, /,
    );
    expect(shown[10]).toBe('and 1490 more');
  });
});

describe('a destination file of the wrong shape', () => {
  it.each([
    [
      'a field that is unknown',
      'servces: {}',
      /^line 1, column 1: servces: expected no such field; there are /,
    ],
    ['a dangerous field', '__proto__: {a: 1}', /^line 1, column 1: __proto__: expected no such field/],
    [
      'a service without a namespace',
      'services: {api: {ports: {}}}',
      'line 1, column 12: services.api: expected namespace/name in lower case, the name without dots, got "api"',
    ],
    [
      'a service without ports',
      'services: {shop/a: {}}',
      'line 1, column 12: services.shop/a: expected the field ports',
    ],
    [
      'port 0',
      'services: {shop/a: {ports: {0: {}}}}',
      /services\.shop\/a\.ports\.0: expected a port from 1 to 65535, got "0"$/,
    ],
    [
      'port 65536',
      'services: {shop/a: {ports: {65536: {}}}}',
      /ports\.65536: expected a port from 1 to 65535, got "65536"$/,
    ],
    [
      'a word for a truth',
      'services: {shop/a: {ports: {80: {opaque: "yes"}}}}',
      /opaque: expected true or false, got "yes"$/,
    ],
    [
      'an inbound port of 65535',
      'workloads: {shop/a: {addresses: [10.1.0.5], proxy: {inboundPort: 65535}}}',
      /inboundPort: expected a whole number from 1 to 65534, got 65535$/,
    ],
    [
      'a broken number',
      withEndpoint('{workload: shop/a, port: 80.5}'),
      /port: expected a whole number, got 80.5$/,
    ],
    [
      'a weight of nothing',
      withEndpoint('{workload: shop/a, weight: 0}'),
      /weight: expected a whole number from 1 to 1000000, got 0$/,
    ],
    [
      'an unknown policy',
      withWorkload('policy: open'),
      /policy: expected one of all-unauthenticated, .*, audit, got "open"$/,
    ],
    [
      'an unknown protocol',
      withPort('{protocol: http}'),
      /protocol: expected one of detect, opaque, .*, got "http"$/,
    ],
    [
      'no address',
      'workloads: {shop/a: {addresses: []}}',
      /addresses: expected a list of at least 1, got a list$/,
    ],
    [
      'an address that is no list',
      'workloads: {shop/a: {addresses: 10.1.0.5}}',
      /addresses: expected a list, got "10\.1\.0\.5"$/,
    ],
    [
      'a rule that permits nobody',
      withRule('{name: x}'),
      /authorizations\[0\]: expected one of the fields identities, serviceAccounts, unauthenticated$/,
    ],
    [
      'a rule with unauthenticated: false',
      withRule('{name: x, unauthenticated: false}'),
      /expected true, or no such field, got false$/,
    ],
    [
      'an endpoint of both kinds',
      withEndpoint('{workload: shop/a, address: 10.1.0.9}'),
      /address: expected no such field; there are workload, port, weight$/,
    ],
    [
      'an endpoint of neither kind',
      withEndpoint('{port: 80}'),
      /endpoints\[0\]: expected the field address$/,
    ],
    [
      'a label that is no label',
      withWorkload('labels: {"a-b": c}'),
      /labels\.a-b: expected a metric label name, got "a-b"$/,
    ],
    [
      'upper case',
      'workloads: {Shop/a: {addresses: [10.1.0.5]}}',
      /workloads\.Shop\/a: expected namespace\/name in lower case, got "Shop\/a"$/,
    ],
  ])('refuses %s', (_, text, expected) => {
    const [first, ...others] = problemsOf(text);
    expect(first).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected));
    expect(others).toEqual([]);
  });
});

describe('a destination file that makes no sense', () => {
  it.each([
    [
      'an address out of range',
      'workloads: {shop/a: {addresses: [10.1.0.256]}}',
      /addresses\[0\]: expected an IP address, got "10\.1\.0\.256"$/,
    ],
    [
      'a network with address bits',
      'clusterNetworks: [10.1.2.3/8]',
      /clusterNetworks\[0\]: expected no address bits beyond the prefix, got "10\.1\.2\.3\/8"$/,
    ],
    [
      'a prefix out of range',
      withRule('{name: x, unauthenticated: true, networks: [10.0.0.0/40]}'),
      /networks\[0\]: expected a prefix length from 0 to 32, got/,
    ],
    [
      'an exception from elsewhere',
      withRule('{name: x, unauthenticated: true, networks: [{cidr: 10.0.0.0/8, except: [11.0.0.0/16]}]}'),
      /except\[0\]: expected a network inside 10\.0\.0\.0\/8, got "11\.0\.0\.0\/16"$/,
    ],
    [
      'an identity with an empty label',
      withRule('{name: x, identities: [a..b]}'),
      /identities\[0\]: expected a DNS name, got "a\.\.b"$/,
    ],
    [
      'a wildcard inside a label',
      withRule('{name: x, identities: ["*web.shop"]}'),
      /identities\[0\]: expected a mesh identity in lower case, "\*" or .*, got "\*web\.shop"$/,
    ],
    [
      'a ServiceAccount too long for a name',
      withRule(`{name: x, serviceAccounts: [shop/${'a'.repeat(70)}]}`),
      /serviceAccounts\[0\]: expected the service account to be DNS labels joined by dots, got/,
    ],
    [
      'a workload whose identity is no name',
      `workloads: {shop/a: {addresses: [10.1.0.5], serviceAccount: ${'a.'.repeat(110)}a, proxy: {}}}`,
      /serviceAccount: expected the identity to be at most 253 characters, got 269$/,
    ],
    [
      'two rules of one name',
      withRule('{name: x, unauthenticated: true}, {name: x, identities: ["*"]}'),
      /authorizations\[1\]\.name: expected a name of its own, got "x" again$/,
    ],
    [
      'a rule for everyone and some',
      withRule('{name: x, unauthenticated: true, identities: ["*"]}'),
      /unauthenticated: expected no identities beside it/,
    ],
    [
      'policy and rules at once',
      withPort('{policy: deny, authorizations: [{name: x, unauthenticated: true}]}'),
      /policy: expected either policy or authorizations, got both$/,
    ],
    [
      'a skipped port out of range',
      'workloads: {shop/a: {addresses: [10.1.0.5], proxy: {skipInboundPorts: [80, 9-8]}}}',
      /skipInboundPorts\[1\]: expected a port from 1 to 65535 or a range like 8000-8010, got "9-8"$/,
    ],
    [
      'an opaque port behind a proxy without inbound port',
      'workloads: {shop/a: {addresses: [10.1.0.5], proxy: {}, ports: {80: {protocol: opaque}}}}',
      /protocol: expected proxy\.inboundPort beside it/,
    ],
    [
      'a node that is not there',
      withWorkload('node: constructor'),
      /node: expected one of nodes, got "constructor"$/,
    ],
    [
      'a node and a zone',
      `nodes: {n: {zone: z}}\n${withWorkload('node: n, zone: y')}`,
      /zone: expected either node or zone, got both$/,
    ],
    [
      'a label that is given by itself',
      withWorkload('labels: {pod: x}'),
      /labels\.pod: expected another label: this one is set by itself$/,
    ],
    [
      'a workload that is not there',
      withEndpoint('{workload: shop/b}'),
      /endpoints\[0\]\.workload: expected a workload of this file, got "shop\/b"$/,
    ],
    [
      'an endpoint given twice',
      withEndpoint('{workload: shop/a}, {workload: shop/a}'),
      /endpoints\[1\]: expected each endpoint once, got 10\.1\.0\.5:80 again$/,
    ],
    [
      'the address of a meshed workload without its identity',
      withEndpoint('{address: 10.1.0.5}'),
      /endpoints\[0\]: expected what is known of 10\.1\.0\.5:80: identity default\.shop\..*, inbound port 4143, not opaque$/,
    ],
    [
      'an inbound port of nobody',
      withEndpoint('{address: 10.1.0.9, inboundPort: 4143}'),
      /inboundPort: expected serviceAccount beside it: a proxy must prove who it is$/,
    ],
    [
      'mesh TLS straight to an opaque port',
      withEndpoint('{address: 10.1.0.9, serviceAccount: shop/db, opaque: true}'),
      /opaque: expected inboundPort beside it/,
    ],
  ])('refuses %s', (_, text, expected) => {
    expect(problemsOf(text)).toEqual([expect.stringMatching(expected)]);
  });

  it('refuses two services that say different things of one address', () => {
    const text = `services:
  shop/a: {ports: {80: {endpoints: [{address: 10.1.0.9, serviceAccount: shop/a}]}}}
  shop/b: {ports: {80: {endpoints: [{address: 10.1.0.9, serviceAccount: shop/b}]}}}`;
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(
        /^line 3, column 37: services\.shop\/b\.ports\.80\.endpoints\[0\]: expected what is known of 10\.1\.0\.9:80: identity a\.shop\./,
      ),
    ]);
  });

  it('refuses a cluster IP that is taken', () => {
    const text = `services:
  shop/a: {clusterIPs: [10.96.0.1], ports: {}}
  shop/b: {clusterIPs: ["::ffff:10.96.0.1", 10.1.0.5], ports: {}}
workloads: {shop/a: {addresses: [10.1.0.5]}}`;
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/clusterIPs\[0\]: expected an address of its own, got 10\.96\.0\.1 of shop\/a$/),
      expect.stringMatching(/clusterIPs\[1\]: expected an address of its own, got 10\.1\.0\.5 of shop\/a$/),
    ]);
  });

  it('refuses an address that a workload has twice', () => {
    expect(problemsOf('workloads: {shop/a: {addresses: [10.1.0.5, "::ffff:10.1.0.5"]}}')).toEqual([
      'line 1, column 44: workloads.shop/a.addresses[1]: expected each address once, got 10.1.0.5 again',
    ]);
  });

  it('refuses workloads on one address that do not say which ports are theirs', () => {
    const text = `workloads:
  shop/a: {addresses: [127.0.0.1], ports: {80: {}}}
  shop/b: {addresses: [127.0.0.1]}
  shop/c: {addresses: [127.0.0.1], proxy: {inboundPort: 80}}`;
    expect(problemsOf(text)).toEqual([
      'line 3, column 24: workloads.shop/b.addresses[0]: expected shop/b to list its ports: shop/a has 127.0.0.1 too',
      'line 4, column 24: workloads.shop/c.addresses[0]: expected each port of an address once, got 80 again: shop/a has 127.0.0.1 too',
      'line 4, column 24: workloads.shop/c.addresses[0]: expected shop/b to list its ports: shop/b has 127.0.0.1 too',
    ]);
  });

  it('finds the place of a field behind an alias', () => {
    const text = `services:
  shop/a: &same {ports: {80: {endpoints: [{workload: shop/x}]}}}
  shop/b: *same`;
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^line 2, column 54: services\.shop\/a\./),
      expect.stringMatching(/^line 2, column 54: services\.shop\/b\./),
    ]);
  });
});
