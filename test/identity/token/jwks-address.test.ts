import { isTrustedPath } from '../../../src/identity/token/jwks-address.ts';

describe('isTrustedPath', () => {
  it.each([
    ['https://keys.example/jwks', true],
    ['http://127.0.0.1:8080/jwks', true],
    ['http://127.1/jwks', true],
    ['http://[::1]/jwks', true],
    ['http://localhost/jwks', true],
    ['http://keys.internal/jwks', true],
    ['http://keys.example/jwks', false],
    ['http://10.0.0.1/jwks', false],
    ['http://127.0.0.1.example/jwks', false],
    ['http://sub.keys.internal/jwks', false],
  ])('judges %s: %s', (url, trusted) => {
    expect(isTrustedPath(new URL(url), ['keys.internal'])).toBe(trusted);
  });
});
