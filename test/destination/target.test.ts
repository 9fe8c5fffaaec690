import { parseTarget } from '../../src/destination/target.ts';
import type { Target } from '../../src/destination/target.ts';
import { refusal } from '../support/refusal.ts';

const api = { kind: 'service', namespace: 'shop', name: 'api', instance: undefined };

function shown(target: Target): unknown {
  return target.kind === 'address' ? `${target.address.toString()} ${target.port}` : target;
}

describe('parseTarget', () => {
  it.each([
    ['api.shop.svc.cluster.local:7000', { ...api, port: 7000 }],
    ['api.shop.svc.cluster.local.:7000', { ...api, port: 7000 }],
    ['API.Shop.svc.Cluster.local..:7000', { ...api, port: 7000 }],
    ['api.shop.svc.cluster.local', { ...api, port: 80 }],
    ['api-0.api.shop.svc.cluster.local:1', { ...api, instance: 'api-0', port: 1 }],
    ['10.1.0.5:65535', '10.1.0.5 65535'],
    ['10.1.0.5', '10.1.0.5 80'],
    ['[fd00::5]:7000', 'fd00::5 7000'],
    ['[FD00:0::0:5]', 'fd00::5 80'],
    ['[::ffff:10.1.0.5]:7000', '10.1.0.5 7000'],
  ])('reads %s', (path, expected) => {
    expect(shown(parseTarget(path, 'cluster.local'))).toEqual(expected);
  });

  it.each([
    [''],
    [':80'],
    ['api.shop.svc.cluster.local:'],
    ['api.shop.svc.cluster.local:0'],
    ['api.shop.svc.cluster.local:65536'],
    ['api.shop.svc.cluster.local:+80'],
    ['api.shop.svc.cluster.local:80:80'],
    ['fd00::5'],
    ['fd00::5:7000'],
    ['[fd00::5'],
    ['[fd00::5]7000'],
    ['[10.1.0.5.6]:80'],
    ['[api.shop.svc.cluster.local]:80'],
    ['[fe80::1%eth0]:80'],
  ])('refuses %j as no host and port', (path) => {
    expect(refusal(() => parseTarget(path, 'cluster.local'))).toMatch(/^target_invalid: expected .+, got "/);
  });

  it.each([
    ['example.com:443'],
    ['api:80'],
    ['api.shop:80'],
    ['shop.svc.cluster.local:80'],
    ['.shop.svc.cluster.local:80'],
    ['a.b.api.shop.svc.cluster.local:80'],
    ['api_1.shop.svc.cluster.local:80'],
    ['api.shop.svc.cluster.localx:80'],
    ['api.shop.svc.other.local:80'],
    ['010.1.0.5:80'],
  ])('refuses %s as no service of the cluster', (path) => {
    expect(refusal(() => parseTarget(path, 'cluster.local'))).toMatch(
      /^target_outside_cluster: expected a name like service\.namespace\.svc\.cluster\.local, got "/,
    );
  });
});
