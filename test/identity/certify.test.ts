import { OID } from '../../src/pki/oids.ts';
import { PublicKey } from '../../src/pki/public-key.ts';
import { verifyChain } from '../../src/pki/verify-chain.ts';
import { isAppError } from '../../src/runtime/errors.ts';
import { testKeyPair } from '../support/certificate-builder.ts';
import { clientIdentity as web, testDomain } from '../support/rpc-server.ts';
import { TestCa } from '../support/test-ca.ts';
import { CertifyBench, honestCsr, hour, stranger } from './support/certify-bench.ts';

const api = testDomain.identity('shop', 'api');
const bytes = (text: string): Buffer => Buffer.from(text);

describe('certify', () => {
  it('gives the key of the request the names that the token proves', async () => {
    const bench = new CertifyBench();
    const { leaf, intermediates } = await bench.give();
    const now = bench.clock.now();
    verifyChain({ leaf, intermediates, bundle: bench.root.bundle, at: now, usage: 'both' });
    expect(leaf.sans).toMatchObject({ dns: [web.dnsName], uri: [web.spiffeId], ip: [], email: [], other: 0 });
    expect(leaf.notBefore).toEqual(new Date(now.getTime() - 20_000));
    expect(leaf.notAfter).toEqual(new Date(now.getTime() + 24 * hour));
    expect([...(leaf.keyUsage ?? [])]).toEqual(['digitalSignature']);
    expect(leaf.extendedKeyUsage).toEqual([OID.serverAuth, OID.clientAuth]);
  });

  it('takes nothing from the request but its key', async () => {
    const keyPair = testKeyPair();
    const { leaf } = await new CertifyBench().give({
      csr: honestCsr({ keyPair, commonName: web.dnsName, uris: [] }),
    });
    expect(leaf.publicKey.equals(PublicKey.of(keyPair.publicKey))).toBe(true);
    expect(leaf.subject).toBe('');
    expect(leaf.sans.uri).toEqual([web.spiffeId]);
  });

  it.each([
    ['a line end behind the token', '\n'],
    ['Windows line ends', '\r\n\r\n'],
  ])('takes a token file with %s', async (_, behind) => {
    const bench = new CertifyBench();
    const token = bytes(bench.tokens.sign('vm-1') + behind);
    expect((await bench.give({ token })).leaf.sans.dns).toEqual([web.dnsName]);
  });

  it('gives no more life than the issuer has left', async () => {
    const bench = new CertifyBench();
    const brief = bench.root.intermediate({ notAfter: new Date(bench.clock.now().getTime() + hour) });
    const { notBefore, notAfter } = brief.certificate;
    bench.current.set({ pair: brief, notBefore, notAfter });
    expect((await bench.give()).leaf.notAfter).toEqual(notAfter);
  });

  it.each<[string, (bench: CertifyBench) => Buffer, string]>([
    ['another audience', (b) => bytes(b.tokens.sign('vm-1', { claims: { aud: 'vault' } })), 'token_refused'],
    [
      'our audience and a further one',
      (b) => bytes(b.tokens.sign('vm-1', { claims: { aud: [b.tokens.audience, 'vault'] } })),
      'token_refused',
    ],
    ['an end in the past', (b) => bytes(b.tokens.sign('vm-1', { claims: { exp: 1 } })), 'token_refused'],
    [
      'a beginning in the future',
      (b) => bytes(b.tokens.sign('vm-1', { claims: { nbf: 9e9 } })),
      'token_refused',
    ],
    ['no signature', (b) => bytes(b.tokens.unsigned('vm-1')), 'token_refused'],
    ['another key', (b) => bytes(b.tokens.forged('vm-1')), 'token_refused'],
    ['a confused algorithm', (b) => bytes(b.tokens.confused('vm-1')), 'token_refused'],
    ['an unlisted subject', (b) => bytes(b.tokens.sign('vm-3')), 'subject_not_listed'],
    ['a length of a megabyte', () => Buffer.alloc(1_000_000, 0x61), 'request_too_large'],
    ['the form of a password', () => bytes('hunter2-hunter2-hunter2'), 'token_malformed'],
    ['bytes that are no text', () => Buffer.alloc(500, 0xff), 'token_malformed'],
    ['no bytes but white space', () => bytes(' \n'), 'token_malformed'],
    ['no bytes', () => Buffer.alloc(0), 'request_incomplete'],
  ])(
    'refuses a token with %s before it looks at the signing request, and logs nothing of it',
    async (_, make, code) => {
      const bench = new CertifyBench();
      const token = make(bench);
      const refused = await bench.refused({ token, csr: bytes('garbage') });
      expect(refused.startsWith(`${code}: expected `)).toBe(true);
      const parts = token
        .toString('latin1')
        .split(/[.\s]/)
        .filter((part) => part.length > 8);
      for (const part of parts) expect(bench.log.text + refused).not.toContain(part.slice(0, 200));
    },
  );

  it.each<[string, Parameters<CertifyBench['refused']>[0], string, string]>([
    [
      'an identity that is not the token’s',
      { identity: api.dnsName },
      'identity_mismatch',
      'failed_precondition',
    ],
    [
      'an identity with a dot behind',
      { identity: `${web.dnsName}.` },
      'identity_mismatch',
      'failed_precondition',
    ],
    ['no identity', { identity: '' }, 'request_incomplete', 'invalid_argument'],
    ['an endless identity', { identity: 'a'.repeat(254) }, 'request_too_large', 'invalid_argument'],
    ['no signing request', { csr: Buffer.alloc(0) }, 'request_incomplete', 'invalid_argument'],
    [
      'a signing request of a megabyte',
      { csr: Buffer.alloc(1_000_000) },
      'request_too_large',
      'invalid_argument',
    ],
    ['garbage for a signing request', { csr: bytes('garbage') }, 'csr_malformed', 'invalid_argument'],
    ['bytes behind it', { csr: honestCsr({ trailing: Buffer.of(0) }) }, 'csr_malformed', 'invalid_argument'],
    [
      'another name in it',
      { csr: honestCsr({ dnsNames: [api.dnsName] }) },
      'csr_refused',
      'failed_precondition',
    ],
    [
      'a bad signature on it',
      { csr: honestCsr({ signature: 'garbage' }) },
      'csr_refused',
      'failed_precondition',
    ],
    ['the wish to be a CA', { csr: honestCsr({ ca: true }) }, 'csr_refused', 'failed_precondition'],
    [
      'a P-384 key',
      { csr: honestCsr({ keyPair: testKeyPair('P-384') }) },
      'csr_refused',
      'failed_precondition',
    ],
  ])('refuses %s', async (_, different, code, kind) => {
    const bench = new CertifyBench();
    await expect(bench.give(different)).rejects.toMatchObject({ code, kind });
    expect(bench.log.withMessage('certificate refused')).toHaveLength(1);
  });

  it('compares the identity before it looks at the signing request', async () => {
    const refused = await new CertifyBench().refused({ identity: api.dnsName, csr: bytes('garbage') });
    expect(refused).toBe(
      `identity_mismatch: expected ${web.dnsName}, as the token of "vm-1" proves, got "${api.dnsName}"`,
    );
  });

  it('gives none to anybody while there is no issuer, and says when to come back', async () => {
    const bench = new CertifyBench();
    bench.current.set(undefined);
    await expect(bench.give()).rejects.toMatchObject({ kind: 'unavailable', retryAfterMs: 10_000 });
  });

  it('gives none that does not chain to the published anchors', async () => {
    const bench = new CertifyBench();
    bench.anchors.set(TestCa.create().bundle);
    await expect(bench.give()).rejects.toMatchObject({
      code: 'issued_certificate_refused',
      kind: 'internal',
    });
    expect(bench.log.withMessage('certificate given')).toEqual([]);
  });

  it('keeps a record of what it gave, and of nothing that is secret', async () => {
    const bench = new CertifyBench();
    const ask = bench.ask({ caller: { address: '10.0.0.7', name: web.dnsName } });
    const { leaf } = await bench.certify(ask);
    expect(bench.log.records).toHaveLength(1);
    expect(bench.log.records[0]).toMatchObject({
      level: 'info',
      message: 'certificate given',
      fields: {
        ...{ decision: 'given', code: 'ok', asked: `"${web.dnsName}"`, identity: web.dnsName },
        ...{ peerAddress: '10.0.0.7', peerName: web.dnsName },
        ...{ tokenSubject: 'vm-1', tokenIssuer: bench.tokens.issuer },
        ...{ serial: leaf.serial, fingerprint: leaf.fingerprint, issuer: bench.ca.certificate.label },
        ...{ publicKeySha256: leaf.publicKey.fingerprint, notAfter: leaf.notAfter.toISOString() },
      },
    });
    const token = Buffer.from(ask.token).toString();
    for (const part of token.split('.')) expect(bench.log.text).not.toContain(part);
    expect(bench.log.text).not.toContain(Buffer.from(ask.csr).toString('base64').slice(0, 40));
    expect(await bench.metrics.text()).toContain(
      'kedge_identity_answers_total{decision="given",code="ok"} 1',
    );
  });

  it('keeps a record of what it refused, with what had been proved by then', async () => {
    const bench = new CertifyBench();
    await bench.refused({ identity: `${api.dnsName}\n{"forged":"record"}` });
    expect(bench.log.records).toHaveLength(1);
    expect(bench.log.records[0]).toMatchObject({
      level: 'warn',
      message: 'certificate refused',
      fields: {
        ...{ decision: 'refused', code: 'identity_mismatch', identity: web.dnsName, tokenSubject: 'vm-1' },
        asked: `"${api.dnsName}\\n{\\"forged\\":\\"record\\"}"`,
      },
    });
    expect(bench.log.records[0]?.fields).not.toHaveProperty('serial');
  });

  it('keeps a record of what nobody expected', async () => {
    const bench = new CertifyBench();
    const caller = new AbortController();
    caller.abort(new TypeError('gone'));
    await expect(bench.give({ signal: caller.signal })).rejects.toThrow('gone');
    expect(bench.log.records[0]?.fields).toMatchObject({
      decision: 'refused',
      code: 'internal',
      reason: 'gone',
    });
  });
});

describe('certify in a flood', () => {
  /** As many forged tokens that name the victim as fit into one moment, all from one address. */
  async function flood(bench: CertifyBench, address: (at: number) => string): Promise<Map<string, number>> {
    const token = bytes(bench.tokens.forged('vm-1'));
    const codes = new Map<string, number>();
    for (let at = 0; at < 500; at++) {
      const error: unknown = await bench
        .give({ token, caller: { address: address(at), name: undefined } })
        .catch((reason: unknown) => reason);
      const code = isAppError(error) ? error.code : 'given';
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    return codes;
  }

  it('does not stop the renewal of the workload that the forged tokens name', async () => {
    const bench = new CertifyBench();
    expect(Object.fromEntries(await flood(bench, () => '10.0.0.66'))).toEqual({
      token_refused: 40,
      rate_limited: 460,
    });
    const victim = { address: '10.0.0.1', name: web.dnsName };
    expect((await bench.give({ caller: victim })).leaf.sans.dns).toEqual([web.dnsName]);
  });

  it('does not stop its first certificate either, from another address', async () => {
    const bench = new CertifyBench();
    await flood(bench, () => '10.0.0.66');
    expect((await bench.give()).leaf.sans.dns).toEqual([web.dnsName]);
  });

  it('does not stop its renewal when it comes from the same address', async () => {
    const bench = new CertifyBench();
    await flood(bench, () => stranger.address);
    await expect(bench.give()).rejects.toMatchObject({ code: 'rate_limited', kind: 'resource_exhausted' });
    const { leaf } = await bench.give({ caller: { ...stranger, name: web.dnsName } });
    expect(leaf.sans.dns).toEqual([web.dnsName]);
  });

  it('does not stop its renewal when it comes from everywhere', async () => {
    const bench = new CertifyBench({ total: 50 });
    const codes = await flood(bench, (at) => `10.1.${at >> 8}.${at & 255}`);
    expect(codes.get('rate_limited')).toBe(400);
    expect((await bench.give({ caller: { ...stranger, name: web.dnsName } })).leaf.sans.dns).toEqual([
      web.dnsName,
    ]);
  });

  it('spends nothing on tokens beyond the rate', async () => {
    const bench = new CertifyBench();
    await flood(bench, () => '10.0.0.66');
    expect(bench.verified).toBe(40);
  });

  it('writes the first refusals by a rate and the number of the rest, while the metric counts each', async () => {
    const bench = new CertifyBench();
    await flood(bench, () => '10.0.0.66');
    const limited = (message: string) =>
      bench.log.withMessage(message).filter(({ fields }) => fields['code'] === 'rate_limited');
    expect(limited('certificate refused')).toHaveLength(10);
    await bench.clock.advance(10_000);
    expect(limited('certificate refused again')[0]?.fields).toMatchObject({ more: 450, withinMs: 10_000 });
    expect(bench.log.withMessage('certificate refused')).toHaveLength(40 + 10);
    expect(await bench.metrics.text()).toContain(
      'kedge_identity_answers_total{decision="refused",code="rate_limited"} 460',
    );
  });

  it('lets the address try again after the time it was told', async () => {
    const bench = new CertifyBench();
    await flood(bench, () => stranger.address);
    await bench.clock.advance(50);
    expect((await bench.give()).leaf.sans.dns).toEqual([web.dnsName]);
  });

  it('holds a ServiceAccount with genuine tokens to its own rate and leaves the others theirs', async () => {
    const bench = new CertifyBench({ perServiceAccount: 1 });
    const from = (at: number): { caller: typeof stranger } => ({
      caller: { ...stranger, address: `10.2.0.${at}` },
    });
    await bench.give(from(1));
    await bench.give(from(2));
    await expect(bench.give(from(3))).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 1000 });
    const other = {
      identity: api.dnsName,
      token: bytes(bench.tokens.sign('vm-2')),
      csr: honestCsr({ dnsNames: [api.dnsName], uris: [] }),
    };
    expect((await bench.give({ ...from(4), ...other })).leaf.sans.dns).toEqual([api.dnsName]);
  });
});
