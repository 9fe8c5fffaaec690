import { MeshDomain } from '../../src/pki/workload-identity.ts';
import { identityNameOf, readDestinationSettings } from '../../src/destination/settings.ts';
import { ConfigError } from '../../src/runtime/env.ts';

const required = {
  KEDGE_DESTINATION_FILE: '/etc/kedge/destination.yaml',
  KEDGE_TRUST_ANCHORS_FILE: '/etc/kedge/ca-bundle.crt',
  KEDGE_IDENTITY_ADDR: 'kedge-identity.kedge:8080',
  KEDGE_TOKEN_FILE: '/var/run/secrets/tokens/token',
};

function problemsOf(environment: Record<string, string>): string[] {
  try {
    readDestinationSettings(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('the settings of the destination process', () => {
  it('need no more than the files, the identity service and the token', () => {
    expect(readDestinationSettings(required)).toMatchObject({
      listenAddr: { host: '0.0.0.0', port: 8086 },
      policyListenAddr: { host: '0.0.0.0', port: 8090 },
      adminListenAddr: { host: '0.0.0.0', port: 9996 },
      clients: 'any',
      clusterDomain: 'cluster.local',
      controlNamespace: 'kedge',
      trustDomain: 'cluster.local',
      serviceAccount: 'kedge-destination',
      identityName: undefined,
    });
  });

  it('need no file where the objects of the cluster are the source', () => {
    const environment = { ...required, KEDGE_DESTINATION_FILE: '', KEDGE_DESTINATION_SOURCE: 'kubernetes' };
    expect(readDestinationSettings(environment)).toMatchObject({
      source: 'kubernetes',
      kubeServicePort: 443,
      defaultInboundPolicy: 'all-unauthenticated',
    });
    expect(readDestinationSettings(environment).opaquePorts.has(3306)).toBe(true);
  });

  it('tell everything that is missing or malformed at once', () => {
    expect(
      problemsOf({
        KEDGE_DESTINATION_CLIENTS: 'some',
        KEDGE_CLUSTER_DOMAIN: 'Cluster.Local',
        KEDGE_IDENTITY_ADDR: 'identity',
        KEDGE_POLICY_LISTEN_ADDR: '0.0.0.0:99999',
      }),
    ).toEqual([
      expect.stringMatching(/^KEDGE_POLICY_LISTEN_ADDR: expected an address .*, got "0\.0\.0\.0:99999"$/),
      'KEDGE_DESTINATION_FILE: expected the path of a file or directory, got nothing',
      'KEDGE_DESTINATION_CLIENTS: expected "any" or "meshed", got "some"',
      expect.stringMatching(/^KEDGE_CLUSTER_DOMAIN: expected a DNS name .*, got "Cluster\.Local"$/),
      'KEDGE_TRUST_ANCHORS_FILE: expected the path of a file or directory, got nothing',
      expect.stringMatching(/^KEDGE_IDENTITY_ADDR: expected an address .*, got "identity"$/),
      'KEDGE_TOKEN_FILE: expected the path of a file or directory, got nothing',
    ]);
  });

  it('refuse one address for two listeners, and no port to connect to', () => {
    const environment = {
      KEDGE_POLICY_LISTEN_ADDR: '127.0.0.1:8086',
      KEDGE_ADMIN_LISTEN_ADDR: '[::]:8086',
      KEDGE_IDENTITY_ADDR: 'kedge-identity.kedge:0',
    };
    const shared = 'expected an address that no other listener has, got';
    expect(problemsOf({ ...required, ...environment })).toEqual([
      expect.stringMatching(/^KEDGE_IDENTITY_ADDR: expected an address to connect to .*, got ".*:0"$/),
      `KEDGE_POLICY_LISTEN_ADDR: ${shared} 127.0.0.1:8086, which overlaps with KEDGE_DESTINATION_LISTEN_ADDR, 0.0.0.0:8086`,
      `KEDGE_ADMIN_LISTEN_ADDR: ${shared} [::]:8086, which overlaps with KEDGE_DESTINATION_LISTEN_ADDR, 0.0.0.0:8086`,
    ]);
  });

  it('take port 0 for another port each time', () => {
    const free = '127.0.0.1:0';
    const environment = { KEDGE_DESTINATION_LISTEN_ADDR: free, KEDGE_POLICY_LISTEN_ADDR: free };
    expect(problemsOf({ ...required, ...environment, KEDGE_ADMIN_LISTEN_ADDR: free })).toEqual([]);
  });

  it('refuse an account whose identity would be no name', () => {
    const longName = Array.from({ length: 20 }, () => 'a'.repeat(11)).join('.');
    expect(problemsOf({ ...required, KEDGE_SERVICE_ACCOUNT: longName })).toEqual([
      'KEDGE_SERVICE_ACCOUNT: expected an account whose identity is a DNS name of at most 253 characters, got a longer one',
    ]);
  });

  it('name the identity service by its usual account unless told another', () => {
    const domain = new MeshDomain('kedge', 'cluster.local');
    expect(identityNameOf(readDestinationSettings(required), domain)).toBe(
      'kedge-identity.kedge.serviceaccount.identity.kedge.cluster.local',
    );
    const other = readDestinationSettings({ ...required, KEDGE_IDENTITY_NAME: 'linkerd-identity.example' });
    expect(identityNameOf(other, domain)).toBe('linkerd-identity.example');
  });
});
