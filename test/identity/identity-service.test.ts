import { Certificate } from '../../src/pki/certificate.ts';
import type { Credentials } from '../../src/pki/credentials.ts';
import { verifyChain } from '../../src/pki/verify-chain.ts';
import { Certifier } from '../../src/rpc/certifier.ts';
import { connectChannel } from '../../src/rpc/connect-channel.ts';
import { identityClient } from '../../src/rpc/identity-api.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { eventually } from '../support/eventually.ts';
import { LogCapture } from '../support/log-capture.ts';
import { field, fields } from '../support/protobuf-bytes.ts';
import { clientIdentity as web, serverIdentity } from '../support/rpc-server.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { honestCsr, hour } from './support/certify-bench.ts';
import { IdentityServer } from './support/identity-server.ts';

const path = '/io.linkerd.proxy.identity.Identity/Certify';

/** A certifier as a proxy has it, with its token in a file. */
async function proxyOf(bench: IdentityServer, directory: TemporaryDirectory) {
  directory.write({ token: `${bench.tokens.sign('vm-1')}\n` });
  const credentials = new LatestValue<Credentials | undefined>(undefined);
  const bundle = new LatestValue(bench.root.bundle);
  const log = new LogCapture();
  const address = await bench.address();
  const channel = connectChannel({ address, serverName: serverIdentity.dnsName, credentials, bundle, log });
  bench.signal.addEventListener('abort', () => channel.close());
  const client = identityClient(channel);
  const certifier = new Certifier({
    ...{ identity: web, tokenFile: directory.file('token'), client },
    ...{ credentials, bundle, clock: bench.clock, log, metrics: new Metrics() },
    ...{ minRefreshMs: 1_000, maxRefreshMs: 24 * hour, attemptTimeoutMs: 10_000, random: () => 0 },
  });
  void certifier.run(bench.signal);
  return { credentials, client };
}

describe('certifyService', () => {
  it('certifies a proxy that has nothing but a token, and renews it', async () => {
    using directory = new TemporaryDirectory();
    await using bench = new IdentityServer();
    const { credentials, client } = await proxyOf(bench, directory);
    await credentials.until((present) => present !== undefined);
    const first = credentials.value;
    expect(first?.leaf.sans).toMatchObject({ dns: [web.dnsName], uri: [web.spiffeId] });
    expect(first?.chain.slice(1)).toEqual([bench.ca.certificate]);

    directory.write({ token: bench.tokens.sign('vm-1', { claims: { exp: 9e9 } }) });
    // The connection that shows the first certificate has to be there before the clock is turned: TLS goes by the real one.
    const nothing = { identity: '', token: Buffer.alloc(0), certificateSigningRequest: Buffer.alloc(0) };
    await expect(client.certify(nothing)).rejects.toMatchObject({ code: 'rpc_invalid_argument' });
    await bench.clock.advance(0.7 * 24 * hour + 1);
    await eventually(() => expect(credentials.value?.leaf.serial).not.toBe(first?.leaf.serial));
    expect(credentials.value?.leaf.publicKey.equals(first!.leaf.publicKey)).toBe(false);
    const [initial, renewal] = bench.log.withMessage('certificate given');
    expect(initial?.fields).toMatchObject({ peerAddress: '127.0.0.1', identity: web.dnsName });
    expect(initial?.fields).not.toHaveProperty('peerName');
    expect(renewal?.fields).toMatchObject({ identity: web.dnsName, peerName: web.dnsName });
  });

  it('answers a client that knows only the field numbers of the contract', async () => {
    await using bench = new IdentityServer();
    using client = await bench.outsider();
    const { status, messages } = await client.call(
      path,
      Buffer.concat([field(1, web.dnsName), field(2, bench.tokens.sign('vm-1')), field(3, honestCsr())]),
    );
    expect(status).toBe(0);
    const answer = fields(messages[0]!);
    expect(answer.map(({ number }) => number)).toEqual([1, 2, 3]);
    const [leaf, above] = answer.slice(0, 2).map(({ value }) => Certificate.parse(value as Buffer));
    const now = bench.clock.now();
    verifyChain({ leaf: leaf!, intermediates: [above!], bundle: bench.root.bundle, at: now, usage: 'both' });
    const [seconds] = fields(answer[2]?.value as Buffer);
    expect(Number(seconds?.value)).toBe(leaf!.notAfter.getTime() / 1000);
  });

  it.each<[string, number, (bench: IdentityServer) => Buffer[]]>([
    ['INVALID_ARGUMENT to nothing', 3, () => []],
    ['INVALID_ARGUMENT to no token', 3, () => [field(1, web.dnsName), field(2, 'x'), field(3, 'x')]],
    [
      'FAILED_PRECONDITION to a token that proves nothing',
      9,
      (b) => [field(1, web.dnsName), field(2, b.tokens.forged('vm-1')), field(3, honestCsr())],
    ],
    [
      'FAILED_PRECONDITION to another name',
      9,
      (b) => [field(1, 'other'), field(2, b.tokens.sign('vm-1')), field(3, honestCsr())],
    ],
    [
      'INVALID_ARGUMENT to a request that is no DER',
      3,
      (b) => [field(1, web.dnsName), field(2, b.tokens.sign('vm-1')), field(3, 'garbage')],
    ],
    ['RESOURCE_EXHAUSTED to a megabyte', 8, () => [field(2, Buffer.alloc(1_000_000))]],
  ])('answers %s', async (_, status, request) => {
    await using bench = new IdentityServer();
    using client = await bench.outsider();
    expect((await client.call(path, Buffer.concat(request(bench)))).status).toBe(status);
  });

  it('answers UNAVAILABLE with a hint when to come back while there is no issuer', async () => {
    await using bench = new IdentityServer();
    using client = await bench.outsider();
    bench.current.set(undefined);
    const request = [field(1, web.dnsName), field(2, bench.tokens.sign('vm-1')), field(3, honestCsr())];
    const { status, trailers } = await client.call(path, Buffer.concat(request));
    expect(status).toBe(14);
    expect(retryDelaySeconds(trailers['grpc-status-details-bin'])).toBe(10);
  });

  it('answers RESOURCE_EXHAUSTED with a hint to who asks too often', async () => {
    await using bench = new IdentityServer();
    using client = await bench.outsider();
    const request = Buffer.concat([field(1, web.dnsName), field(2, 'x'), field(3, 'x')]);
    for (let at = 0; at < 40; at++) await client.call(path, request);
    const { status, message, trailers } = await client.call(path, request);
    expect(status).toBe(8);
    expect(message).toContain('expected fewer requests of the address 127.0.0.1 (KEDGE_RATE_PER_PEER)');
    expect(retryDelaySeconds(trailers['grpc-status-details-bin'])).toBe(0);
  });
});

/** google.rpc.Status {details 3}, google.protobuf.Any {value 2}, google.rpc.RetryInfo {retry_delay 1}, Duration {seconds 1}. */
function retryDelaySeconds(trailer: unknown): number {
  const inside = (bytes: Buffer, number: number): Buffer =>
    fields(bytes).find((one) => one.number === number)?.value as Buffer;
  const status = Buffer.isBuffer(trailer) ? trailer : Buffer.from(String(trailer), 'base64');
  const delay = inside(inside(inside(status, 3), 2), 1);
  return Number(fields(delay).find(({ number }) => number === 1)?.value ?? 0);
}
