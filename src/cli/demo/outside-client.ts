import { LatestValue } from '../../runtime/latest.ts';
import { errorMessage, isAppError } from '../../runtime/errors.ts';
import { Certificate } from '../../pki/certificate.ts';
import type { Credentials } from '../../pki/credentials.ts';
import { createCsr } from '../../pki/csr.ts';
import { encodePrivateKey, generateKeyPair } from '../../pki/keys.ts';
import { TrustBundle } from '../../pki/trust-bundle.ts';
import { connectChannel } from '../../rpc/connect-channel.ts';
import { identityClient } from '../../rpc/identity-api.ts';
import type { CertifyResponse } from '../../rpc/identity-api.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { World } from './world.ts';

/** A request for a certificate, honest unless told otherwise. */
export interface Attempt {
  /** Whose token is shown. */
  name: string;
  /** Whose name is asked for; the token's own unless told. */
  ask?: string;
  /** Whose name the CSR holds; the token's own unless told. */
  csrName?: string;
  audience?: string;
  validForSeconds?: number;
}

export interface OutsideClientNeeds {
  readonly world: World;
  readonly clock: Clock;
  readonly log: Log;
}

/** Asks the identity service for certificates from outside any proxy, as a first contact without a certificate. */
export class OutsideClient {
  readonly #needs: OutsideClientNeeds;

  constructor(needs: OutsideClientNeeds) {
    this.#needs = needs;
  }

  /** A certificate for a workload, PEM, leaf first. */
  async certificate(name: string): Promise<{ key: string; chain: string }> {
    const { privateKey } = generateKeyPair();
    const answer = await this.#certify({ name }, privateKey);
    const chain = [answer.leafCertificate, ...answer.intermediateCertificates].map(
      (der) => Certificate.parse(der).pem,
    );
    return { key: encodePrivateKey(privateKey), chain: chain.join('') };
  }

  /** The identity service's answer to a request that it has to refuse. */
  async refusal(attempt: Attempt): Promise<string> {
    const { privateKey } = generateKeyPair();
    const outcome = await this.#certify(attempt, privateKey).catch((error: unknown) =>
      isAppError(error) ? `${error.kind.toUpperCase()}: ${error.message}` : errorMessage(error),
    );
    if (typeof outcome !== 'string') throw new Error('expected the request to be refused, got a certificate');
    return outcome;
  }

  async #certify(
    attempt: Attempt,
    key: ReturnType<typeof generateKeyPair>['privateKey'],
  ): Promise<CertifyResponse> {
    const { world, clock, log } = this.#needs;
    const { name, ask = name, csrName = name, audience = 'identity.l5d.io', validForSeconds = 600 } = attempt;
    const inCsr = world.identityOf(csrName);
    const channel = connectChannel({
      address: { host: '127.0.0.1', port: world.ports.identity },
      serverName: world.identityOf('identity').dnsName,
      credentials: new LatestValue<Credentials | undefined>(undefined),
      bundle: new LatestValue(TrustBundle.parsePem(world.anchors)),
      log,
    });
    try {
      return await identityClient(channel).certify(
        {
          identity: world.identityOf(ask).dnsName,
          token: Buffer.from(
            world.tokens.issue({ subject: world.subjectOf(name), audience, validForSeconds }, clock.now()),
          ),
          certificateSigningRequest: createCsr({ key, dnsName: inCsr.dnsName, uri: inCsr.spiffeId }),
        },
        { timeoutMs: 10_000 },
      );
    } finally {
      channel.close();
    }
  }
}
