import type { AuditEvent } from '../audit-event.ts';
import { accountsOf, callsOf, covers, rightsOf } from './access.ts';

const role = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'Role',
  metadata: { name: 'one', namespace: 'kedge' },
  rules: [
    { apiGroups: [''], resources: ['secrets'], resourceNames: ['a', 'b'], verbs: ['get', 'update'] },
    { nonResourceURLs: ['/version'], verbs: ['get'] },
  ],
};
const binding = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { name: 'one', namespace: 'kedge' },
  roleRef: { kind: 'Role', name: 'one' },
  subjects: [{ name: 'kedge-one' }],
};

const event = (verb: string, code: number, objectRef?: AuditEvent['objectRef']): AuditEvent => ({
  stage: 'ResponseComplete',
  requestURI: '/version?timeout=1s',
  stageTimestamp: '2026-01-01T00:00:00.000000Z',
  verb,
  user: { username: 'system:serviceaccount:kedge:kedge-one' },
  responseStatus: { code },
  ...(objectRef && { objectRef }),
});

describe('the ServiceAccounts of a chart', () => {
  it('are those that it makes, whatever else is bound to a role', () => {
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'kedge-two' } };
    expect(accountsOf([role, binding, account])).toEqual(['kedge-two']);
  });
});

describe('what a role gives', () => {
  it('is taken apart into each verb, resource and name', () => {
    expect(rightsOf([role, binding], 'kedge-one')).toEqual([
      { verb: 'get', resource: 'secrets', name: 'a', namespace: 'kedge' },
      { verb: 'get', resource: 'secrets', name: 'b', namespace: 'kedge' },
      { verb: 'update', resource: 'secrets', name: 'a', namespace: 'kedge' },
      { verb: 'update', resource: 'secrets', name: 'b', namespace: 'kedge' },
      { verb: 'get', resource: '/version', namespace: 'kedge' },
    ]);
    expect(rightsOf([role, binding], 'kedge-two')).toEqual([]);
  });

  it('covers a call of the same verb, resource, namespace and name, and no other', () => {
    const right = { verb: 'get', resource: 'secrets', namespace: 'kedge', name: 'a' };
    expect(covers(right, right)).toBe(true);
    for (const other of [{ verb: 'list' }, { resource: 'pods' }, { namespace: 'shop' }, { name: 'b' }]) {
      expect(covers(right, { ...right, ...other })).toBe(false);
    }
    expect(covers(right, { verb: 'get', resource: 'secrets', namespace: 'kedge' })).toBe(false);
    expect(covers({ verb: 'get', resource: 'secrets' }, right)).toBe(true);
  });
});

describe('what an audit log tells of a ServiceAccount', () => {
  it('is each different call, one that makes an object by applying it as two', () => {
    const slices = { resource: 'endpointslices', apiGroup: 'discovery.k8s.io' };
    const copy = { resource: 'configmaps', namespace: 'shop', name: 'bundle' };
    const log = [
      event('get', 200),
      event('list', 200, slices),
      event('list', 200, slices),
      event('list', 403, slices),
      event('patch', 200, copy),
      event('patch', 201, copy),
      { ...event('list', 200, { resource: 'secrets' }), user: { username: 'admin' } },
    ];
    const applied = { resource: 'configmaps', namespace: 'shop', name: 'bundle' };
    expect(callsOf(log, 'kedge', 'kedge-one')).toEqual([
      { verb: 'get', resource: '/version', code: 200 },
      { verb: 'list', resource: 'endpointslices.discovery.k8s.io', code: 200 },
      { verb: 'list', resource: 'endpointslices.discovery.k8s.io', code: 403 },
      { verb: 'patch', ...applied, code: 200 },
      { verb: 'patch', ...applied, code: 201 },
      { verb: 'create', ...applied, code: 201 },
    ]);
  });
});
