import { planLookup } from '../../../src/proxy/outbound/lookup-scope.ts';
import { IpNetwork } from '../../../src/runtime/ip-network.ts';

const scope = {
  suffixes: ['svc.cluster.local.'],
  networks: ['10.0.0.0/8', 'fd00::/8'].map((text) => IpNetwork.parse(text)!),
};

describe('whether discovery is asked for a target', () => {
  it.each([
    ['api.shop.svc.cluster.local', 'look-up'],
    ['api.shop.svc.cluster.local.', 'look-up'],
    ['API.shop.SVC.cluster.local', 'look-up'],
    ['svc.cluster.local', 'look-up'],
    ['notsvc.cluster.local', 'refuse'],
    ['example.com', 'refuse'],
    ['10.1.2.3', 'look-up'],
    ['fd00::1', 'look-up'],
    ['192.0.2.1', 'pass-through'],
    ['2001:db8::1', 'pass-through'],
  ])('%s: %s', (host, plan) => {
    expect(planLookup(host, scope)).toBe(plan);
  });

  it('takes every name where the suffix is a dot', () => {
    expect(planLookup('example.com', { ...scope, suffixes: ['.'] })).toBe('look-up');
  });

  it('takes no name where there is no suffix', () => {
    expect(planLookup('api.shop.svc.cluster.local', { ...scope, suffixes: [] })).toBe('refuse');
  });

  it('takes every address where no networks are given', () => {
    expect(planLookup('192.0.2.1', { ...scope, networks: undefined })).toBe('look-up');
  });
});
