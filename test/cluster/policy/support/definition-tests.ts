import { parse } from 'yaml';
import type { TestCluster } from '../../test-cluster.ts';
import { define } from './definitions.ts';

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
}

const plurals: Readonly<Record<string, string>> = {
  AuthorizationPolicy: 'authorizationpolicies',
  ExternalWorkload: 'externalworkloads',
  MeshTLSAuthentication: 'meshtlsauthentications',
  NetworkAuthentication: 'networkauthentications',
  Server: 'servers',
  ServerAuthorization: 'serverauthorizations',
};

const server = (spec: string, version = 'v1beta3') => `
apiVersion: policy.linkerd.io/${version}
kind: Server
metadata: {name: x}
spec: ${spec}`;
const object = (kind: string, spec: string, apiVersion = 'policy.linkerd.io/v1alpha1') => `
apiVersion: ${apiVersion}
kind: ${kind}
metadata: {name: x}
spec: ${spec}`;
const meshTls = (spec: string) => object('MeshTLSAuthentication', spec);
const network = (spec: string) => object('NetworkAuthentication', spec);
const authorization = (client: string) =>
  object('ServerAuthorization', `{server: {name: web}, client: ${client}}`, 'policy.linkerd.io/v1beta1');
const policy = (refs: string) =>
  object('AuthorizationPolicy', `{targetRef: {group: policy.linkerd.io, kind: Server, name: web}${refs}}`);

/** What the definitions of the chart take and refuse. */
export function definitionTests(cluster: TestCluster): void {
  /** Asks the API server whether it would take an object; rejects with what it says of one that it refuses. */
  const offer = (manifest: string) => {
    const body = parse(manifest) as Manifest;
    const path = `/apis/${body.apiVersion}/namespaces/default/${plurals[body.kind] ?? ''}?dryRun=All`;
    return cluster.expect(path, { method: 'POST', body });
  };

  it('are taken by the API server, and again when they are there', async () => {
    expect(await define(cluster)).toMatch(/^(customresourcedefinition\S+ unchanged\n){7}$/);
  });

  it.each([
    ['a Server', server('{podSelector: {matchLabels: {app: web}}, port: 80}')],
    ['a Server by the name of its port', server('{podSelector: {}, port: http-1}')],
    ['a Server of external workloads', server('{externalWorkloadSelector: {}, port: 80}')],
    [
      'a Server of expressions',
      server(
        '{podSelector: {matchExpressions: [{key: a, operator: In, values: [b]}, {key: a, operator: Exists}]}, port: 80}',
      ),
    ],
    ['a Server of an older version', server('{podSelector: {}, port: 80, proxyProtocol: opaque}', 'v1beta1')],
    ['identities', meshTls('{identities: ["*", "*.a.b", a.b, "spiffe://a/b"]}')],
    [
      'references to identities',
      meshTls('{identityRefs: [{kind: ServiceAccount, name: a}, {kind: Namespace, name: b}]}'),
    ],
    [
      'networks',
      network(
        '{networks: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}, {cidr: "fd00::/8"}, {cidr: 10.1.2.3}]}',
      ),
    ],
    ['an authorization', authorization('{networks: [{cidr: 10.0.0.0/8}], unauthenticated: true}')],
    [
      'an authorization of names',
      authorization('{meshTLS: {identities: ["*"], serviceAccounts: [{name: a}]}}'),
    ],
    ['a policy', policy(', requiredAuthenticationRefs: []')],
    [
      'an external workload',
      object(
        'ExternalWorkload',
        '{meshTLS: {identity: "spiffe://a/b", serverName: b.a}, ports: [{port: 80}], workloadIPs: [{ip: 192.0.2.1}]}',
        'workload.linkerd.io/v1beta1',
      ),
    ],
  ])('take %s', async (_, manifest) => {
    expect(await offer(manifest)).toMatchObject({ kind: (parse(manifest) as Manifest).kind });
  });

  it.each([
    ['a Server without a port', server('{podSelector: {}}'), 'spec.port: Required value'],
    ['a Server of the port 0', server('{podSelector: {}, port: 0}'), 'greater than or equal to 1'],
    ['a Server of a port too large', server('{podSelector: {}, port: 70000}'), 'less than or equal to 65535'],
    ['a Server of a number in quotes', server('{podSelector: {}, port: "80"}'), 'should match'],
    ['a Server of nobody', server('{port: 80}'), 'oneOf'],
    ['a Server of both kinds', server('{podSelector: {}, externalWorkloadSelector: {}, port: 80}'), 'oneOf'],
    [
      'a Server of an unknown operator',
      server('{podSelector: {matchExpressions: [{key: a, operator: Like}]}, port: 80}'),
      'Unsupported value: "Like"',
    ],
    [
      'a Server of an expression without values',
      server('{podSelector: {matchExpressions: [{key: a, operator: In}]}, port: 80}'),
      'values: Required value',
    ],
    [
      'a Server of an unknown protocol',
      server('{podSelector: {}, port: 80, proxyProtocol: HTTP/3}'),
      'Unsupported value: "HTTP/3"',
    ],
    [
      'a Server that lets in whom nobody knows',
      server('{podSelector: {}, port: 80, accessPolicy: open}'),
      'Unsupported value: "open"',
    ],
    ['an identity with a star in the middle', meshTls('{identities: ["a.*.b"]}'), 'should match'],
    ['no identities at all', meshTls('{}'), 'anyOf'],
    ['an empty list of identities', meshTls('{identities: []}'), 'at least 1 items'],
    ['a network that is none', network('{networks: [{cidr: moon}]}'), 'should match'],
    ['an exception that is none', network('{networks: [{cidr: 10.0.0.0/8, except: [x]}]}'), 'should match'],
    ['an authorization of nobody', authorization('{}'), 'oneOf'],
    ['an authorization that proves two ways', authorization('{unauthenticated: true, meshTLS: {}}'), 'oneOf'],
    ['a policy without a list of what is required', policy(''), 'requiredAuthenticationRefs: Required value'],
  ])('refuse %s', async (_, manifest, message) => {
    await expect(offer(manifest)).rejects.toThrow(message);
  });
}
