import { encodePem, parsePem } from '../../src/pki/pem.ts';
import { refusal } from '../support/refusal.ts';

const BLOCK = '-----BEGIN THING-----\nAQID\n-----END THING-----\n';

describe('PEM', () => {
  it('writes lines of 64 characters', () => {
    expect(encodePem('THING', Buffer.alloc(50)).split('\n')).toEqual([
      '-----BEGIN THING-----',
      'A'.repeat(64),
      'AAA=',
      '-----END THING-----',
      '',
    ]);
  });

  it('skips text between blocks, and takes Windows line ends and trailing blanks', () => {
    const text = `Subject: CN=x\n${BLOCK}\n# comment\n${BLOCK.replaceAll('\n', ' \r\n')}`;
    expect(parsePem(text).map(({ der }) => der.toString('hex'))).toEqual(['010203', '010203']);
  });

  it('gives nothing for text without blocks', () => {
    expect(parsePem('')).toEqual([]);
    expect(parsePem('hello')).toEqual([]);
  });

  it.each([
    [
      'a block that is not closed',
      '-----BEGIN THING-----\nAQID\n',
      'an END line of THING, got the end of the text',
    ],
    [
      'a block inside a block',
      `-----BEGIN THING-----\n${BLOCK}`,
      'an END line of THING, got another BEGIN line',
    ],
    [
      'another label at the end',
      BLOCK.replace('END THING', 'END OTHER'),
      'an END line after its BEGIN line, got END OTHER',
    ],
    ['an end without a beginning', '-----END THING-----', 'an END line after its BEGIN line, got END THING'],
    ['an empty block', '-----BEGIN THING-----\n-----END THING-----', 'base64 inside THING, got nothing'],
    ['characters outside base64', BLOCK.replace('AQID', 'AQ!D'), 'base64 inside THING, got something else'],
    ['base64url', BLOCK.replace('AQID', '-_-_'), 'base64 inside THING, got something else'],
    ['missing padding', BLOCK.replace('AQID', 'AQI'), 'base64 inside THING, got something else'],
    ['bits behind the end', BLOCK.replace('AQID', 'AQJ='), 'base64 inside THING, got something else'],
    ['a header', BLOCK.replace('AQID', 'Comment: x\n\nAQID'), 'only base64 inside THING, got a header'],
    ['a text of many megabytes', ' '.repeat(3_000_000), 'at most 2097152 characters, got 3000000'],
  ])('refuses %s', (_name, text, message) => {
    expect(refusal(() => parsePem(text))).toBe(`pem_malformed: PEM: expected ${message}`);
  });

  it('marks the old encrypted form, so that the reader can say so', () => {
    const text = BLOCK.replace('AQID', 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAQID');
    expect(parsePem(text)).toMatchObject([{ label: 'THING', encrypted: true }]);
  });

  it('takes a line with an endless label for a comment, so that no message holds it', () => {
    expect(parsePem(`-----BEGIN ${'A'.repeat(65)}-----`)).toEqual([]);
  });
});
