import type { Call } from './call.ts';
import type { CallOptions, Channel } from './channel.ts';
import { IdentityDefinition } from './gen/io/linkerd/proxy/identity/identity.ts';
import type { CertifyRequest, CertifyResponse } from './gen/io/linkerd/proxy/identity/identity.ts';
import { method } from './method.ts';
import { unaryMethod } from './service.ts';
import type { Service } from './service.ts';

export type { CertifyRequest, CertifyResponse };

const certify = method(IdentityDefinition, IdentityDefinition.methods.certify);

/** Contract 1.1: a CSR and a token in, a certificate out. */
export interface IdentityHandler {
  certify(request: CertifyRequest, call: Call): Promise<CertifyResponse>;
}

export function identityService(handler: IdentityHandler): Service {
  return {
    name: IdentityDefinition.fullName,
    methods: [unaryMethod(certify, (request, call) => handler.certify(request, call))],
  };
}

export interface IdentityClient {
  /** Rejects with an error of rpc/errors.ts that stands for the status. */
  certify(request: CertifyRequest, options?: CallOptions): Promise<CertifyResponse>;
}

export function identityClient(channel: Channel): IdentityClient {
  return { certify: (request, options) => channel.unary(certify, request, options) };
}
