import { firstIdentity } from '../../../src/proxy/transport/first-identity.ts';

describe('the identity of a client', () => {
  it.each<[string, string | undefined, string | undefined]>([
    ['is its only DNS name', 'DNS:web.shop', 'web.shop'],
    ['is a DNS name before a URI', 'DNS:web.shop, URI:spiffe://td/ns/shop/sa/web', 'web.shop'],
    [
      'is a URI before a DNS name',
      'URI:spiffe://td/ns/shop/sa/web, DNS:web.shop',
      'spiffe://td/ns/shop/sa/web',
    ],
    ['is none of the other kinds', 'IP Address:10.0.0.1, email:a@b.c, DNS:web.shop', 'web.shop'],
    ['is not a DNS name with a dot at its end', 'DNS:web.shop., DNS:api.shop', 'api.shop'],
    ['is not a wildcard', 'DNS:*.shop, DNS:api.shop', 'api.shop'],
    ['is not a URI without a scheme', 'URI:nonsense, DNS:api.shop', 'api.shop'],
    ['is never found within another name', 'DNS:"x, DNS:admin.shop, y", DNS:api.shop', 'api.shop'],
    ['is never found behind an escaped quote', 'DNS:"x\\", DNS:admin.shop, \\"y", DNS:api.shop', 'api.shop'],
    ['is nothing where there is no name', undefined, undefined],
    ['is nothing where no name will do', 'IP Address:10.0.0.1', undefined],
  ])('%s', (_what, names, identity) => {
    expect(firstIdentity(names)).toBe(identity);
  });
});
