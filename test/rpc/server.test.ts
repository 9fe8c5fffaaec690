import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { identityClient, identityService } from '../../src/rpc/identity-api.ts';
import type { CertifyRequest, CertifyResponse } from '../../src/rpc/identity-api.ts';
import { inboundPolicyClient, inboundPolicyService, Server } from '../../src/rpc/inbound-policy-api.ts';
import type { Call } from '../../src/rpc/call.ts';
import { rpcErrors } from '../../src/rpc/errors.ts';
import { trustApiClient, trustService } from '../../src/rpc/trust-api.ts';
import type { Service } from '../../src/rpc/service.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { eventually } from '../support/eventually.ts';
import { connectRaw, frame } from '../support/raw-grpc.ts';
import { refusalOf } from '../support/refusal.ts';
import { clientCredentials, clientIdentity, serverIdentity, startServer } from '../support/rpc-server.ts';

const request: CertifyRequest = {
  identity: 'web.shop',
  token: Buffer.from('token'),
  certificateSigningRequest: Buffer.from('csr'),
};

const answer: CertifyResponse = {
  leafCertificate: Buffer.from('leaf'),
  intermediateCertificates: [Buffer.from('issuer')],
  validUntil: new Date('2030-01-02T03:04:05Z'),
};

function certify(
  handler: (request: CertifyRequest, call: Call) => Promise<CertifyResponse> = async () => answer,
): Service {
  return identityService({ certify: handler });
}

/** A policy service whose watches follow a value. */
function policies(
  latest: LatestValue<Server>,
  onEnd: (signal: AbortSignal) => void = () => undefined,
): Service {
  return inboundPolicyService({
    getPort: async () => latest.value,
    watchPort: async (_, call, out) => {
      for await (const server of latest.changes(call.signal)) out.write(server);
      onEnd(call.signal);
    },
  });
}

function policy(name: string): Server {
  return Server.fromPartial({ labels: { name } });
}

describe('unary calls', () => {
  it('carry the request to the handler and its answer back', async () => {
    const seen: CertifyRequest[] = [];
    await using server = await startServer([
      certify(async (got) => {
        seen.push(got);
        return answer;
      }),
    ]);
    using channel = server.connect();
    await expect(identityClient(channel).certify(request)).resolves.toEqual(answer);
    expect(seen).toEqual([request]);
  });

  it('tell the handler the peer address and the names of the client certificate', async () => {
    const calls: Call[] = [];
    await using server = await startServer([
      certify(async (_, call) => {
        calls.push(call);
        return answer;
      }),
    ]);
    using channel = server.connect({ credentials: clientCredentials(server.ca) });
    await identityClient(channel).certify(request);
    expect(calls[0]).toMatchObject({
      peerAddress: '127.0.0.1',
      peer: { dnsNames: [clientIdentity.dnsName], uris: [clientIdentity.spiffeId] },
    });
    expect(calls[0]?.deadline).toBeUndefined();
  });

  it('tell the handler of no peer where the client has no certificate, and of its deadline', async () => {
    const calls: Call[] = [];
    await using server = await startServer([
      certify(async (_, call) => {
        calls.push(call);
        return answer;
      }),
    ]);
    using channel = server.connect();
    await identityClient(channel).certify(request, { timeoutMs: 30_000 });
    expect(calls[0]?.peer).toBeUndefined();
    expect(calls[0]?.deadline).toBeInstanceOf(Date);
  });

  it('answer an error of ours with the status of its kind, its message and its hint when to come back', async () => {
    await using server = await startServer([
      certify(async () => {
        throw rpcErrors.error('rpc_resource_exhausted', 'expected 10 requests a second, got 11: näher', {
          retryAfterMs: 1500,
        });
      }),
    ]);
    using channel = server.connect();
    await expect(identityClient(channel).certify(request)).rejects.toMatchObject({
      code: 'rpc_resource_exhausted',
      message: 'expected 10 requests a second, got 11: näher',
      retryAfterMs: 1500,
    });
  });

  it('say nothing to the caller of an error that is not ours, and all of it to the log', async () => {
    await using server = await startServer([
      certify(async () => {
        throw new Error('password of the database');
      }),
    ]);
    using channel = server.connect();
    expect(await refusalOf(identityClient(channel).certify(request))).toBe(
      'rpc_internal: internal error; see the log of the server',
    );
    expect(server.log.withMessage('call failed unexpectedly')[0]?.fields).toMatchObject({
      path: '/io.linkerd.proxy.identity.Identity/Certify',
      error: 'password of the database',
    });
  });

  it('abort the signal of the handler when the caller gives up, and reject with what it gave up for', async () => {
    const signals: AbortSignal[] = [];
    await using server = await startServer([
      certify((_, call) => {
        signals.push(call.signal);
        return new Promise(() => undefined);
      }),
    ]);
    using channel = server.connect();
    const caller = new AbortController();
    const call = identityClient(channel).certify(request, { signal: caller.signal });
    await eventually(() => expect(signals).toHaveLength(1));
    caller.abort(new Error('changed my mind'));
    await expect(call).rejects.toThrow('changed my mind');
    await eventually(() => expect(signals[0]?.aborted).toBe(true));
  });

  it('leave the signal of the handler alone once it has answered', async () => {
    const signals: AbortSignal[] = [];
    await using server = await startServer([
      certify(async (_, call) => {
        signals.push(call.signal);
        return answer;
      }),
    ]);
    using channel = server.connect();
    for (let asked = 0; asked < 3; asked++) await identityClient(channel).certify(request);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, false]);
  });

  it('abort the signal of the handler at the deadline of the caller', async () => {
    const signals: AbortSignal[] = [];
    await using server = await startServer([
      certify((_, call) => {
        signals.push(call.signal);
        return new Promise(() => undefined);
      }),
    ]);
    using channel = server.connect();
    await expect(identityClient(channel).certify(request, { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'rpc_deadline_exceeded',
    });
    await eventually(() => expect(signals[0]?.aborted).toBe(true));
  });

  it('give up at once when the signal is aborted before', async () => {
    await using server = await startServer([certify()]);
    using channel = server.connect();
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(identityClient(channel).certify(request, { signal })).rejects.toThrow('too late');
  });

  it('are refused as unimplemented where the server has no such service', async () => {
    await using server = await startServer([certify()]);
    using channel = server.connect();
    await expect(inboundPolicyClient(channel).getPort({ workload: 'w', port: 1 })).rejects.toMatchObject({
      code: 'rpc_unimplemented',
      kind: 'internal',
    });
  });
});

describe('server streams', () => {
  it('carry each change, and end for the handler when the reader leaves', async () => {
    const latest = new LatestValue(policy('first'));
    const ends: AbortSignal[] = [];
    await using server = await startServer([policies(latest, (signal) => ends.push(signal))]);
    using channel = server.connect();
    const names: string[] = [];
    const reader = new AbortController();
    const spec = { workload: 'w', port: 80 };
    for await (const { labels } of inboundPolicyClient(channel).watchPort(spec, reader.signal)) {
      names.push(labels['name'] ?? '');
      if (names.length === 2) break;
      latest.set(policy('second'));
    }
    expect(names).toEqual(['first', 'second']);
    await eventually(() => expect(ends.map(({ aborted }) => aborted)).toEqual([true]));
  });

  it('reject with the reason of the signal when the reader is aborted', async () => {
    await using server = await startServer([policies(new LatestValue(policy('first')))]);
    using channel = server.connect();
    const reader = new AbortController();
    const read = async (): Promise<void> => {
      for await (const { labels } of inboundPolicyClient(channel).watchPort(
        { workload: 'w', port: 80 },
        reader.signal,
      )) {
        reader.abort(new Error(`seen ${labels['name']}`));
      }
    };
    await expect(read()).rejects.toThrow('seen first');
  });

  it('end with the status of what the handler throws, after what it has written', async () => {
    await using server = await startServer([
      inboundPolicyService({
        getPort: async () => policy('unused'),
        watchPort: async (_, _call, out) => {
          out.write(policy('first'));
          throw rpcErrors.error('rpc_not_found', 'expected a known workload, got w');
        },
      }),
    ]);
    using channel = server.connect();
    const names: string[] = [];
    const read = async (): Promise<void> => {
      const { signal } = new AbortController();
      for await (const { labels } of inboundPolicyClient(channel).watchPort(
        { workload: 'w', port: 80 },
        signal,
      )) {
        names.push(labels['name'] ?? '');
      }
    };
    expect(await refusalOf(read())).toBe('rpc_not_found: expected a known workload, got w');
    expect(names).toEqual(['first']);
  });

  it('end without an error when the handler returns, after the last state it has written', async () => {
    await using server = await startServer([
      inboundPolicyService({
        getPort: async () => policy('unused'),
        watchPort: async (_, _call, out) => {
          for (let version = 1; version <= 20; version++) out.write(policy(`${version}`));
        },
      }),
    ]);
    using channel = server.connect();
    const { signal } = new AbortController();
    const all: Server[] = [];
    const stream = inboundPolicyClient(channel).watchPort({ workload: 'w', port: 80 }, signal);
    for await (const each of stream) all.push(each);
    expect(all.at(-1)).toEqual(policy('20'));
  });
});

describe('a stream whose reader is slow', () => {
  it('skips what the reader had no time for, and brings it to the last state', async () => {
    const latest = new LatestValue(policy('0'));
    await using server = await startServer([policies(latest)]);
    using client = await connectRaw(server.address, {
      ca: server.ca.bundle.pem,
      servername: serverIdentity.dnsName,
    });
    const stream = client.session.request({
      ':method': 'POST',
      ':path': '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort',
      'content-type': 'application/grpc',
    });
    stream.end(frame(Buffer.from('0a01771050', 'hex')));
    await once(stream, 'response');
    // Each message fills the flow-control window by itself, and nothing is read.
    const versions = 50;
    for (let version = 1; version <= versions; version++) {
      latest.set(policy(`${version} ${'x'.repeat(100_000)}`));
      await nextTurn();
    }
    const names: number[] = [];
    let bytes = Buffer.alloc(0);
    stream.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (let end: number; bytes.length >= 5 && bytes.length >= (end = 5 + bytes.readUInt32BE(1));) {
        names.push(parseInt(Server.decode(bytes.subarray(5, end)).labels['name'] ?? '', 10));
        bytes = bytes.subarray(end);
      }
    });
    await eventually(() => expect(names.at(-1)).toBe(versions));
    expect(names[0]).toBe(0);
    expect(names.length).toBeLessThan(10);
    expect(names).toEqual(names.toSorted((a, b) => a - b));
  });
});

describe('two-way streams', () => {
  it('carry requests and answers independently, and end for the handler when the client leaves', async () => {
    const reports: string[] = [];
    const ends: boolean[] = [];
    await using server = await startServer([
      trustService({
        watch: async (incoming, call, out) => {
          out.write({ pem: 'one', sha256: '1' });
          call.signal.addEventListener('abort', () => ends.push(true));
          for await (const report of incoming) {
            reports.push(report.sha256InUse);
            out.write({ pem: 'two', sha256: '2' });
          }
          await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
        },
      }),
    ]);
    using channel = server.connect();
    const mine = new LatestValue({ sha256InUse: 'a', leafAnchorSha256: '', refusal: '' });
    const client = new AbortController();
    const stream = trustApiClient(channel).watch(mine.changes(client.signal), client.signal);
    const received: string[] = [];
    for await (const { pem } of stream) {
      received.push(pem);
      if (received.length === 2) mine.set({ ...mine.value, sha256InUse: 'b' });
      if (received.length === 3) break;
    }
    client.abort();
    expect(received).toEqual(['one', 'two', 'two']);
    expect(reports).toEqual(['a', 'b']);
    await eventually(() => expect(ends).toEqual([true]));
  });
});

describe('metrics', () => {
  it('count calls by method and status, statuses given by the library included', async () => {
    await using server = await startServer([certify(), policies(new LatestValue(policy('first')))], {
      limits: { messageBytes: 1000 },
    });
    using channel = server.connect();
    await identityClient(channel).certify(request);
    await expect(
      identityClient(channel).certify({ ...request, token: Buffer.alloc(2000) }),
    ).rejects.toMatchObject({ code: 'rpc_resource_exhausted' });
    const { signal } = new AbortController();
    const stream = inboundPolicyClient(channel).watchPort({ workload: 'w', port: 80 }, signal);
    const reader = stream[Symbol.asyncIterator]();
    await reader.next();
    await reader.return?.();
    const labels =
      'grpc_service="io.linkerd.proxy.identity.Identity",grpc_method="Certify",grpc_type="unary"';
    await eventually(async () => {
      const text = await server.metrics.text();
      expect(text).toContain(`grpc_server_started_total{${labels}} 2`);
      expect(text).toContain(`grpc_server_handled_total{${labels},grpc_code="OK"} 1`);
      expect(text).toContain(`grpc_server_handled_total{${labels},grpc_code="ResourceExhausted"} 1`);
      expect(text).toMatch(/grpc_server_handled_total{.*WatchPort.*server_stream.*"Canceled"} 1/);
      expect(text).toContain('kedge_grpc_connections 1');
    });
  });
});
