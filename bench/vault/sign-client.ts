import { request as send, Agent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { signRequest } from '../../src/issuers/vault/sign-request.ts';
import { Csr, createCsr } from '../../src/pki/csr.ts';
import { generateKeyPair } from '../../src/pki/keys.ts';
import { each } from '../../test/cluster/destination/support/objects.ts';
import type { VaultWorld } from './vault-world.ts';

/** How long it waits where the server's quota is used up. */
const pauseMs = 10;

/** Makes the calls that identity makes for a certificate, straight to the server, over connections that are kept. */
export class SignClient implements Disposable {
  readonly #agent: Agent;
  readonly #url: string;
  readonly #token: string;
  readonly #atOnce: number;
  readonly #body: Buffer;

  constructor({ server, world }: VaultWorld, token: string, atOnce: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: atOnce, maxFreeSockets: atOnce, ca: server.ca });
    this.#url = `${server.address}/v1/pki/sign/kedge`;
    this.#token = token;
    this.#atOnce = atOnce;
    const { dnsName, spiffeId: uri } = world.identityOf('web');
    const csr = Csr.parse(createCsr({ key: generateKeyPair().privateKey, dnsName, uri }));
    const notBefore = new Date();
    const request = { csr, dnsName, uri, notBefore, notAfter: new Date(notBefore.getTime() + 86_400_000) };
    const timing = { now: notBefore, aheadMs: 0, timeoutMs: 10_000, caEnd: undefined };
    this.#body = Buffer.from(
      JSON.stringify(signRequest({ ...request, identity: world.identityOf('web') }, timing)),
    );
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  /** Certificates a second. */
  async rate(requests: number, signal: AbortSignal): Promise<number> {
    const from = performance.now();
    await each([...Array(requests).keys()], this.#atOnce, async () => {
      while ((await this.#sign()) === 429) {
        signal.throwIfAborted();
        await sleep(pauseMs);
      }
    });
    return (requests * 1_000) / (performance.now() - from);
  }

  #sign(): Promise<200 | 429> {
    return new Promise((resolve, reject) => {
      const headers = {
        'X-Vault-Token': this.#token,
        'Content-Type': 'application/json',
        'Content-Length': this.#body.length,
      };
      const call = send(this.#url, { method: 'POST', headers, agent: this.#agent }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.once('error', reject).once('end', () => {
          if (answer.statusCode === 429) {
            resolve(429);
            return;
          }
          if (answer.statusCode === 200 && text.includes('BEGIN CERTIFICATE')) {
            resolve(200);
            return;
          }
          reject(new Error(`expected a certificate, got ${answer.statusCode}: ${text.slice(0, 200)}`));
        });
      });
      call.once('error', reject);
      call.end(this.#body);
    });
  }
}
