import fc from 'fast-check';
import { context, readSequence } from '../../src/pki/der.ts';
import { sequence, smallInteger, tlv } from '../../src/pki/der-writer.ts';
import { encodeName } from '../../src/pki/distinguished-name.ts';
import type { NameConstraints } from '../../src/pki/name-constraints.ts';
import { inDnsSubtree, isDnsName, readNameConstraints } from '../../src/pki/name-constraints.ts';
import { generalName } from '../support/certificate-builder.ts';
import { refusal } from '../support/refusal.ts';

const read = (...parts: Buffer[]): NameConstraints =>
  readNameConstraints(readSequence(sequence(...parts), 'name constraints'));
const permitted = (...names: Buffer[]): Buffer =>
  tlv(context(0, true), ...names.map((name) => sequence(name)));
const excluded = (...names: Buffer[]): Buffer =>
  tlv(context(1, true), ...names.map((name) => sequence(name)));

describe('readNameConstraints', () => {
  it('reads permitted and excluded DNS subtrees', () => {
    expect(
      read(permitted(generalName.dns('a.b'), generalName.dns('')), excluded(generalName.dns('.c'))),
    ).toEqual({
      permittedDns: ['a.b', ''],
      excludedDns: ['.c'],
      unsupported: [],
    });
  });

  it('does not limit DNS names when only excluded ones are given', () => {
    expect(read(excluded(generalName.dns('a')))).toMatchObject({ permittedDns: undefined });
  });

  it.each([
    ['URI', generalName.uri('cluster.local')],
    ['email', generalName.email('example.org')],
    ['IP address', generalName.ip(10, 0, 0, 0, 255, 0, 0, 0)],
    ['directory name', generalName.directory(encodeName('x'))],
    ['kind 8', tlv(context(8, false), Buffer.of(1))],
    ['DNS, but "*.a"', generalName.dns('*.a')],
    ['DNS, but "a."', generalName.dns('a.')],
    ['DNS, but "."', generalName.dns('.')],
  ])('tells a constraint of kind %s as one it cannot enforce', (kind, name) => {
    expect(read(permitted(name)).unsupported).toEqual([kind]);
    expect(read(excluded(name)).unsupported).toEqual([kind]);
  });

  it.each([
    ['no subtree at all', [], 'name constraints: expected a subtree, got none'],
    ['an empty list', [permitted()], 'subtrees: expected at least one, got none'],
    [
      'a minimum',
      [tlv(context(0, true), sequence(generalName.dns('a'), tlv(context(0, false), Buffer.of(1))))],
      'subtree: expected no more bytes, got 3 left over',
    ],
    [
      'lists in the wrong order',
      [excluded(generalName.dns('a')), permitted(generalName.dns('b'))],
      'name constraints: expected no more bytes, got 7 left over',
    ],
    ['something else', [smallInteger(1)], 'name constraints: expected no more bytes, got 3 left over'],
  ])('refuses %s', (_name, parts, message) => {
    expect(refusal(() => read(...parts))).toBe(`der_malformed: ${message}`);
  });
});

describe('inDnsSubtree', () => {
  it.each([
    ['a.example.org', 'example.org', true],
    ['example.org', 'example.org', true],
    ['EXAMPLE.org', 'example.ORG', true],
    ['badexample.org', 'example.org', false],
    ['example.org.evil', 'example.org', false],
    ['a.example.org', '.example.org', true],
    ['example.org', '.example.org', false],
    ['anything', '', true],
    ['org', 'example.org', false],
  ])('%s in %s: %s', (name, subtree, expected) => {
    expect(inDnsSubtree(name, subtree)).toBe(expected);
  });
});

describe('isDnsName', () => {
  it.each(['a', 'web.shop', '_srv.x', 'A-b.C', `${'a'.repeat(63)}.b`])('takes %s', (name) => {
    expect(isDnsName(name)).toBe(true);
  });

  it.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    '-a',
    'a-',
    '*.a',
    'a b',
    'web.1',
    '10.0.0.1',
    'a'.repeat(64),
    'ø',
    `${'a.'.repeat(127)}a`,
  ])('refuses %j', (name) => {
    expect(isDnsName(name)).toBe(false);
  });

  it('answers for any text without backtracking', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a'.repeat(60), '-', '.', '!', '_')), (parts) => {
        expect(typeof isDnsName(parts.join(''))).toBe('boolean');
      }),
    );
  });
});
