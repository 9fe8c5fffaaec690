import assert from 'node:assert/strict';
import { isIP, isIPv6 } from 'node:net';
import fc from 'fast-check';
import {
  listenAddressFormat,
  forwardFormat,
  ipAddressFormat,
} from '../../../src/proxy/settings/forward-format.ts';
import { localIdentityFormat } from '../../../src/proxy/settings/local-identity-format.ts';
import { logLevelFormat } from '../../../src/proxy/settings/log-level-format.ts';
import { parseGoDuration, parseProxyDuration } from '../../../src/runtime/durations.ts';
import * as formats from '../../../src/runtime/formats.ts';
import type { Format } from '../../../src/runtime/formats.ts';
import { IpNetwork } from '../../../src/runtime/ip-network.ts';
import { PortSet } from '../../../src/runtime/port-set.ts';
import { formatSocketAddress, parseSocketAddress } from '../../../src/runtime/socket-address.ts';
import type { SocketAddress } from '../../../src/runtime/socket-address.ts';
import { isAppError } from '../../../src/runtime/errors.ts';
import { textsLike } from '../mutate/texts.ts';
import { accepted, fuzzTarget } from '../target.ts';

interface Grammar {
  readonly samples: readonly string[];
  readonly words: readonly string[];
  /** Reads and judges; false where the text is refused. */
  readonly holds: (text: string) => boolean;
}

function grammar<T>(
  format: Format<T>,
  samples: readonly string[],
  words: readonly string[],
  judge: (value: T, text: string) => void,
): Grammar {
  return {
    samples,
    words,
    holds: (text) => {
      const value = format.parse(text);
      if (value === undefined) return false;
      judge(value, text.trim());
      return true;
    },
  };
}

const durationWords = [
  '0',
  '1',
  '9',
  '.',
  '1.5',
  'h',
  'm',
  's',
  'ms',
  'ns',
  'µs',
  'μs',
  'd',
  '-',
  ' ',
  '1e9',
];
const addressWords = [
  '10.0.0.1',
  '::1',
  '[',
  ']',
  ':',
  '80',
  '65535',
  '65536',
  '0',
  'name',
  '.',
  '%eth0',
  '-',
  '[::1]',
  '010',
];

const isMilliseconds = (ms: number): void => assert.ok(Number.isSafeInteger(ms) && ms >= 0, `got ${ms} ms`);

function isAddress(address: SocketAddress, text: string): void {
  assert.ok(Number.isInteger(address.port) && address.port >= 0 && address.port <= 65535);
  assert.doesNotMatch(address.host, /[\s[\]/@%]/);
  if (isIP(address.host) === 0) assert.doesNotThrow(() => new URL(`http://${address.host}:80/`), text);
  assert.deepEqual(parseSocketAddress(formatSocketAddress(address)), address);
}

const grammars: Readonly<Record<string, Grammar>> = {
  duration: grammar(
    formats.durationFormat(),
    ['24h0m0s', '1.5h', '300ms', '0', '.5s'],
    durationWords,
    (ms, text) => {
      isMilliseconds(ms);
      assert.equal(parseGoDuration(`0s${text === '0' ? '' : text}`), ms);
    },
  ),
  proxyDuration: grammar(
    formats.proxyDurationFormat(),
    ['10s', '1d', '0', ' 5ms'],
    durationWords,
    (ms, text) => {
      isMilliseconds(ms);
      assert.equal(parseProxyDuration(`0${text}`), ms);
    },
  ),
  integer: grammar(
    formats.integerFormat({ min: -5, max: 99 }),
    ['7', '-5', ' 99'],
    ['-', '0', '7', '9', '.', 'e', 'x'],
    (number, text) => {
      assert.ok(Number.isInteger(number) && number >= -5 && number <= 99);
      assert.equal(BigInt(text), BigInt(number));
    },
  ),
  ratio: grammar(formats.ratioFormat, ['0', '0.25', '1.0'], ['0', '1', '.', '9', 'e', '-'], (ratio) =>
    assert.ok(ratio >= 0 && ratio <= 1),
  ),
  boolean: grammar(
    formats.booleanFormat,
    ['true', ' false'],
    ['true', 'false', 'TRUE', '1', ' '],
    (value, text) => assert.equal(String(value), text),
  ),
  socketAddress: grammar(
    formats.socketAddressFormat,
    ['10.0.0.1:80', '[::1]:80', 'name:80', 'a.b.:1'],
    addressWords,
    isAddress,
  ),
  remoteAddress: grammar(
    formats.remoteAddressFormat,
    ['10.0.0.1:80', '[::1]:80', 'name:80'],
    addressWords,
    (address, text) => {
      isAddress(address, text);
      assert.notEqual(address.port, 0);
    },
  ),
  listenAddress: grammar(listenAddressFormat, ['127.0.0.1:0', '[::1]:80'], addressWords, (address, text) => {
    isAddress(address, text);
    assert.notEqual(isIP(address.host), 0);
  }),
  forward: grammar(
    forwardFormat,
    ['127.0.0.1:7001=api.shop.svc.cluster.local:7000'],
    [...addressWords, '='],
    ({ listen, target }, text) => {
      isAddress(listen, text);
      isAddress(target, text);
      assert.notEqual(target.port, 0);
    },
  ),
  ipAddress: grammar(ipAddressFormat, ['10.0.0.1', 'fd00::1'], addressWords, (ip) =>
    assert.notEqual(isIP(ip), 0),
  ),
  cidr: grammar(
    formats.cidrFormat,
    ['10.0.0.0/8', 'fd00::/8', '::ffff:10.0.0.0/104', '10.0.0.1'],
    ['10.0.0.0', 'fd00::', '/', '8', '33', '128', '::ffff:'],
    (network, text) => {
      assert.ok(network.contains(network.address.toString()));
      assert.ok(network.covers(network));
      assert.equal(IpNetwork.parse(network.toString())?.toString(), network.toString(), text);
      assert.equal(network.address.family === 6, isIPv6(network.address.toString()));
    },
  ),
  portSet: grammar(
    formats.portSetFormat,
    ['80,8000-8010', '', '1-65535'],
    ['80', '443', '-', ',', '65535', '0', ' ', '8000-8010'],
    (ports) => {
      assert.equal(PortSet.parse(ports.toString())?.toString(), ports.toString());
      assert.ok(!ports.has(0) && !ports.has(65536) && ports.size <= 65535);
      const [first] = ports;
      assert.equal(first === undefined, ports.size === 0);
      assert.ok(first === undefined || ports.has(first));
    },
  ),
  dnsName: grammar(
    formats.dnsNameFormat,
    ['cluster.local', 'a-b.c'],
    ['a', '.', '-', 'cluster', 'A', 'é', ' '],
    (name, text) => {
      assert.equal(name, text);
      assert.match(name, /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/);
    },
  ),
  dnsLabel: grammar(formats.dnsLabelFormat, ['kedge', 'a-b'], ['a', '.', '-', 'kedge', 'A'], (label) =>
    assert.match(label, /^[a-z0-9-]{1,63}$/),
  ),
  path: grammar(formats.pathFormat, ['/var/run/x', 'a'], ['/', 'a', ' ', '..'], (path) =>
    assert.doesNotMatch(path, /\0/),
  ),
  url: grammar(
    formats.urlFormat,
    ['https://a.example/x', 'http://10.0.0.1:80'],
    ['http', 'https', '://', '@', ':', 'a', '/', '?', '#', '[::1]'],
    (url) => {
      assert.equal(url.username + url.password, '');
      assert.ok(['http:', 'https:'].includes(url.protocol) && url.hostname !== '');
    },
  ),
  logLevel: grammar(
    logLevelFormat,
    ['warn,linkerd=info', 'debug', 'off'],
    ['warn', 'info', 'kedge', 'linkerd', '=', ',', 'trace'],
    (level) => assert.ok(['debug', 'info', 'warn', 'error'].includes(level)),
  ),
  localIdentity: grammar(
    localIdentityFormat,
    ['api.shop.serviceaccount.identity.kedge.cluster.local'],
    ['api', 'shop', '.', '.serviceaccount.identity.', 'kedge', 'cluster'],
    (identity, text) => assert.equal(identity.dnsName, text),
  ),
};

interface Input {
  readonly kind: string;
  readonly text: string;
}

const inputs = Object.entries(grammars).map(([kind, { samples, words }]) =>
  textsLike(samples, words).map((text): Input => ({ kind, text })),
);

/** Each grammar of a setting reads what it should, and what it reads is what was meant. */
export const settingsTarget = fuzzTarget<Input>({
  name: 'settings',
  file: 'runtime/formats.ts',
  inputs: fc.oneof(...inputs),
  check: ({ kind, text }) => {
    try {
      return grammars[kind]!.holds(text) ? accepted : 'refused';
    } catch (error) {
      // The one format that lets its parser throw, which the reader of settings takes for a refusal.
      if (isAppError(error) && error.code === 'identity_malformed') return error.code;
      throw error;
    }
  },
});
