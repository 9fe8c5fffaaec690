import { rmSync, writeFileSync } from 'node:fs';
import type { WorkloadIdentity } from '../../../src/pki/workload-identity.ts';
import { keepCredentials, type OwnCredentials } from '../../../src/rpc/own-credentials.ts';
import type { SocketAddress } from '../../../src/runtime/socket-address.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import { Readiness } from '../../../src/runtime/readiness.ts';
import { hour } from '../../identity/support/certify-bench.ts';
import type { IdentityServer } from '../../identity/support/identity-server.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { serverIdentity } from '../../support/rpc-server.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';

export interface CertifiedOptions {
  readonly identity: WorkloadIdentity;
  readonly subject: string;
  /** Where the identity service is found; where it is, unless given. */
  readonly address?: SocketAddress;
}

/** What proxies and the destination service have in common: they keep themselves certified, by a token in a file. */
export class Certified implements Disposable {
  /** Its own, so that the two machines may differ. TLS goes by the real time, as which both clocks begin. */
  readonly clock: ManualClock;
  readonly log = new LogCapture();
  readonly readiness = new Readiness();
  readonly own: OwnCredentials;
  readonly tokenFile: string;
  readonly #directory = new TemporaryDirectory();
  readonly #token: () => string;

  private constructor(
    bench: IdentityServer,
    { identity, subject }: CertifiedOptions,
    address: SocketAddress,
  ) {
    this.clock = new ManualClock(bench.clock.now());
    this.tokenFile = this.#directory.file('token');
    this.#token = () => bench.tokens.sign(subject, { claims: { exp: 9e9 } });
    this.putToken();
    const { clock, log, readiness, tokenFile } = this;
    this.own = keepCredentials(
      {
        ...{ identity, tokenFile, minRefreshMs: 1_000, maxRefreshMs: 24 * hour, attemptTimeoutMs: 10_000 },
        identityService: {
          ...{ address, serverName: serverIdentity.dnsName },
          reconnect: { minMs: 20, maxMs: 50 },
        },
        anchors: bench.root.bundle,
      },
      { log, metrics: new Metrics(), readiness, clock },
      bench.signal,
    );
  }

  static async start(bench: IdentityServer, options: CertifiedOptions): Promise<Certified> {
    return new Certified(bench, options, options.address ?? (await bench.address()));
  }

  get serial(): string | undefined {
    return this.own.credentials.value?.leaf.serial;
  }

  /** How many certificates it has had. */
  get obtained(): number {
    return this.log.withMessage('certificate obtained').length;
  }

  putToken(): void {
    writeFileSync(this.tokenFile, this.#token());
  }

  removeToken(): void {
    rmSync(this.tokenFile);
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
  }
}
