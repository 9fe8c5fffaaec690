import type { MeshDomain } from '../pki/workload-identity.ts';
import type { Call } from '../rpc/call.ts';
import { identityService, type CertifyRequest, type CertifyResponse } from '../rpc/identity-api.ts';
import type { Service } from '../rpc/service.ts';
import type { Caller } from './admission.ts';
import type { Certify } from './certify.ts';
import { peerName } from './peer-name.ts';

/** `Certify` on the wire (contract 1.1): DER in both directions, the issuer first among the intermediates. */
export function certifyService(certify: Certify, domain: MeshDomain): Service {
  return identityService({
    certify: async (request: CertifyRequest, call: Call): Promise<CertifyResponse> => {
      const { leaf, intermediates } = await certify({
        identity: request.identity,
        token: request.token,
        csr: request.certificateSigningRequest,
        caller: callerOf(call, domain),
        signal: call.signal,
      });
      return {
        leafCertificate: leaf.der,
        intermediateCertificates: intermediates.map(({ der }) => der),
        validUntil: leaf.notAfter,
      };
    },
  });
}

function callerOf({ peerAddress: address, peer }: Call, domain: MeshDomain): Caller {
  return { address, name: peerName(peer, domain), ...(peer && { goodUntil: peer.notAfter }) };
}
