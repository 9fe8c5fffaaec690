import assert from 'node:assert/strict';
import fc from 'fast-check';
import { destinationSettings, readDestinationSettings } from '../../../src/destination/settings.ts';
import { identityChecks, identitySettings } from '../../../src/identity/settings.ts';
import { proxySettings } from '../../../src/proxy/settings/proxy-settings.ts';
import { readProxySettings } from '../../../src/proxy/settings/read-proxy-settings.ts';
import { encodePem } from '../../../src/pki/pem.ts';
import { ConfigError, readEnvironment } from '../../../src/runtime/env.ts';
import type { Environment, Settings } from '../../../src/runtime/env.ts';
import { textsLike } from '../mutate/texts.ts';
import { caCertificate } from '../samples/certificates.ts';
import { workload } from '../samples/requests.ts';
import { MARKER } from '../samples/tokens.ts';
import { accepted, fuzzTarget } from '../target.ts';

const values = [
  'true',
  '10s',
  '24h0m0s',
  '7',
  '0.5',
  '/etc/kedge/file',
  'kedge',
  'cluster.local',
  '127.0.0.1:0',
  '[::1]:4143',
  'identity.kedge.svc.cluster.local:8080',
  '10.0.0.0/8,fd00::/8',
  '80,8000-8010',
  'https://tokens.example/keys',
  `https://user:${MARKER}@tokens.example/`,
  'web.shop.serviceaccount.identity.kedge.cluster.local',
  '{"ns":"shop","pod":"web-0"}',
  'local',
  'jwks',
  'info',
];
/** Slips in front of a password: what is no proper URL must not show it either. */
const withPassword = fc
  .array(fc.constantFrom('https', ':', '/', '//', ' ', 'user', 'user:', '@', '\\', '#', '?', '\n'), {
    maxLength: 6,
  })
  .map((pieces) => `${pieces.join('')}${MARKER}@tokens.example`);

const value = fc.oneof(
  { weight: 1, arbitrary: withPassword },
  { weight: 6, arbitrary: fc.constantFrom(...values) },
  {
    weight: 1,
    arbitrary: textsLike(
      values.filter((each) => !each.includes(MARKER)),
      ['1', 's', ',', ':', '/', '-', '.', 'a'],
    ),
  },
  { weight: 1, arbitrary: fc.constant('') },
);

interface Process {
  readonly settings: Settings;
  /** What a process needs at least. */
  readonly honest: Environment;
  readonly read: (environment: Environment) => unknown;
}

const processes: Readonly<Record<string, Process>> = {
  identity: {
    settings: identitySettings,
    honest: {
      KEDGE_TRUST_ANCHORS_FILE: '/a',
      KEDGE_TOKEN_ISSUER: 'https://tokens.example',
      KEDGE_TOKEN_SUBJECTS_FILE: '/b',
      KEDGE_TOKEN_JWKS_FILE: '/c',
    },
    read: (environment) => readEnvironment(identitySettings, environment, ...identityChecks),
  },
  destination: {
    settings: destinationSettings,
    honest: {
      KEDGE_DESTINATION_FILE: '/a',
      KEDGE_TRUST_ANCHORS_FILE: '/b',
      KEDGE_TOKEN_FILE: '/c',
      KEDGE_IDENTITY_ADDR: 'identity:8080',
    },
    read: readDestinationSettings,
  },
  proxy: {
    settings: proxySettings,
    honest: {
      LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS: encodePem('CERTIFICATE', caCertificate),
      LINKERD2_PROXY_IDENTITY_LOCAL_NAME: workload.dnsName,
      LINKERD2_PROXY_IDENTITY_TOKEN_FILE: '/a',
      LINKERD2_PROXY_IDENTITY_SVC_ADDR: 'identity:8080',
      LINKERD2_PROXY_IDENTITY_SVC_NAME: workload.dnsName,
      LINKERD2_PROXY_DESTINATION_SVC_ADDR: '10.0.0.1:8086',
      LINKERD2_PROXY_DESTINATION_SVC_NAME: workload.dnsName,
      LINKERD2_PROXY_POLICY_SVC_ADDR: '10.0.0.1:8090',
      LINKERD2_PROXY_POLICY_SVC_NAME: workload.dnsName,
      LINKERD2_PROXY_POLICY_WORKLOAD: '{"ns":"shop","pod":"web-0"}',
    },
    read: readProxySettings,
  },
};

interface Input {
  readonly process: string;
  readonly environment: Environment;
}

const inputs = Object.entries(processes).map(([process, { settings, honest }]) => {
  const names = Object.values(settings).map(({ name }) => name);
  return fc
    .array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 6, size: 'medium' })
    .map((entries): Input => ({ process, environment: { ...honest, ...Object.fromEntries(entries) } }));
});

/** Every table of settings: values for all of it, or one error that names each fault on a line and no password. */
export const environmentTarget = fuzzTarget<Input>({
  name: 'environment',
  file: 'runtime/env.ts',
  inputs: fc.oneof(...inputs),
  check: ({ process, environment }) => {
    const { settings, read } = processes[process]!;
    try {
      const found = read(environment) as object;
      assert.ok(Object.keys(found).every((key) => key in settings));
      return accepted;
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error));
      const known = new Set(Object.values(settings).map(({ name }) => name));
      assert.ok(error.problems.length > 0 && error.problems.every(({ name }) => known.has(name)));
      const lines = error.message.split('\n');
      assert.equal(lines.length, error.problems.length);
      for (const line of lines) assert.match(line, /^[A-Z0-9_]+: expected .+, got [^\p{C}]+$/u);
      assert.ok(!error.message.includes(MARKER), 'expected no password in a message');
      return 'refused';
    }
  },
});
