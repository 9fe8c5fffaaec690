import { parseExactNetwork } from '../../../src/destination/file/exact-network.ts';

describe('a network of the destination file', () => {
  it('is read as it is written', () => {
    expect(parseExactNetwork('10.0.0.0/8').toString()).toBe('10.0.0.0/8');
    expect(parseExactNetwork('fd00::/8').toString()).toBe('fd00::/8');
  });

  it.each([
    ['10.0.0.1', 'expected a prefix length, got "10.0.0.1"; one address is 10.0.0.1/32'],
    ['::ffff:10.0.0.0/129', 'expected a prefix length from 0 to 128, got "::ffff:10.0.0.0/129"'],
    ['10.0.0.0/33', 'expected a prefix length from 0 to 32, got "10.0.0.0/33"'],
    ['10.0.0.0/', 'expected a prefix length from 0 to 32, got "10.0.0.0/"'],
    ['10.1.2.3/8', 'expected no address bits beyond the prefix, got "10.1.2.3/8"'],
    ['fd00::1/64', 'expected no address bits beyond the prefix, got "fd00::1/64"'],
    ['wat/8', 'expected a network like 10.0.0.0/8, got "wat/8"'],
    ['10.0.0.0/8/8', 'expected a network like 10.0.0.0/8, got "10.0.0.0/8/8"'],
  ])('refuses %s', (text, message) => {
    expect(parseExactNetwork(text)).toBe(message);
  });
});
