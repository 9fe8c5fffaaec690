import { identityClient, identityService } from '../../src/rpc/identity-api.ts';
import type { CertifyRequest, CertifyResponse } from '../../src/rpc/identity-api.ts';
import type { Call } from '../../src/rpc/call.ts';
import { rpcErrors } from '../../src/rpc/errors.ts';
import { clientCredentials, clientIdentity, startServer } from '../support/rpc-server.ts';

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

function certify(handler: (request: CertifyRequest, call: Call) => Promise<CertifyResponse>) {
  return identityService({ certify: handler });
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

  it('answer an error of ours with the status of its kind and its message', async () => {
    await using server = await startServer([
      certify(async () => {
        throw rpcErrors.error('rpc_permission_denied', 'expected a friend, got a stranger');
      }),
    ]);
    using channel = server.connect();
    await expect(identityClient(channel).certify(request)).rejects.toMatchObject({
      code: 'rpc_permission_denied',
      message: 'expected a friend, got a stranger',
    });
  });
});
