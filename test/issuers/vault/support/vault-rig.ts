import { createIssuer, checkIssuerConfig, type IssuerConfig } from '../../../../src/issuers/create-issuer.ts';
import type { Issuer } from '../../../../src/issuers/issuer.ts';
import { issuerSettings } from '../../../../src/issuers/settings.ts';
import type { TrustBundle } from '../../../../src/pki/trust-bundle.ts';
import { systemClock, type Clock } from '../../../../src/runtime/clock.ts';
import { readEnvironment } from '../../../../src/runtime/env.ts';
import { LatestValue } from '../../../../src/runtime/latest.ts';
import { Metrics } from '../../../../src/runtime/metrics.ts';
import { LogCapture } from '../../../support/log-capture.ts';
import { serverIdentity } from '../../../support/rpc-server.ts';

export interface VaultRigOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly bundle?: TrustBundle;
  readonly clock?: Clock;
}

/** The issuer that the settings make, with everything around it that the identity service has; ends with the test. */
export class VaultRig implements AsyncDisposable {
  readonly log = new LogCapture();
  readonly metrics = new Metrics();
  readonly anchors: LatestValue<TrustBundle | undefined>;
  readonly config: IssuerConfig;
  readonly #clock: Clock;
  readonly #ended = new AbortController();
  readonly #closers: ((deadline: AbortSignal) => Promise<void>)[] = [];
  #issuer: Issuer | undefined;

  private constructor({ env, bundle, clock = systemClock }: VaultRigOptions) {
    this.config = readEnvironment(issuerSettings, { KEDGE_ISSUER: 'vault', ...env }, checkIssuerConfig);
    this.anchors = new LatestValue<TrustBundle | undefined>(bundle);
    this.#clock = clock;
  }

  static async start(options: VaultRigOptions): Promise<VaultRig> {
    const rig = new VaultRig(options);
    const { anchors, log, metrics } = rig;
    rig.#issuer = await createIssuer(rig.config, {
      ...{ anchors, identity: serverIdentity, clock: rig.#clock, log, metrics },
      signal: rig.#ended.signal,
      onClose: (_part, close) => rig.#closers.push(close),
    });
    return rig;
  }

  get issuer(): Issuer {
    if (this.#issuer === undefined) throw new TypeError('expected a rig that was started');
    return this.#issuer;
  }

  /** Resolves when the issuer can sign. */
  async ready(): Promise<void> {
    await this.issuer.state
      .until(({ state }) => state === 'ready', AbortSignal.timeout(20_000))
      .catch(() => {
        throw new Error(`expected an issuer that can sign: ${JSON.stringify(this.issuer.state.value)}`);
      });
  }

  /** Everything that was written down: log, metrics, state. */
  async told(): Promise<string> {
    return [this.log.text, await this.metrics.text(), JSON.stringify(this.issuer.state.value)].join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new Error('the test is over'));
    for (const close of this.#closers) await close(AbortSignal.timeout(5_000));
  }
}
