import type { Certificate } from '../../../../src/pki/certificate.ts';
import { FakeVault, type FakeHandler, type FakeReply } from './fake-vault.ts';

/** Settings that log in to a scripted server, without TLS, with the token in this file. */
export const scriptedEnv = (fake: FakeVault, tokenFile: string): Record<string, string> => ({
  KEDGE_VAULT_ADDR: fake.address.origin,
  KEDGE_VAULT_ALLOW_PLAINTEXT: 'true',
  KEDGE_VAULT_AUTH: 'token-file',
  KEDGE_VAULT_TOKEN_FILE: tokenFile,
});

/** The answer to a call to sign, or to read an issuer. */
export function pkiReply(
  certificate: Certificate,
  chain: readonly Certificate[],
  issuing?: Certificate,
): FakeReply {
  return {
    body: {
      data: {
        certificate: certificate.pem,
        ca_chain: chain.map(({ pem }) => pem),
        ...(issuing && { issuing_ca: issuing.pem }),
      },
    },
  };
}

/** A server whose mount has this CA, and whose calls to sign are answered by the handler. */
export function scriptedVault(
  mountCa: readonly [Certificate, ...Certificate[]],
  sign: FakeHandler,
): Promise<FakeVault> {
  return FakeVault.start((call) => {
    if (call.path === 'pki/issuer/default/json') return pkiReply(mountCa[0], mountCa);
    if (call.path === 'sys/capabilities-self') return { body: { data: { 'pki/sign/kedge': ['update'] } } };
    if (call.path === 'pki/sign/kedge') return sign(call);
    return { status: 404, body: { errors: [] } };
  });
}
