import type { CaMaterial } from '../../../../src/issuers/local/ca-material.ts';
import { encodePrivateKey } from '../../../../src/pki/keys.ts';
import type { SecretWatch } from '../../../support/secret-watch.ts';
import { TestCa } from '../../../support/test-ca.ts';
import type { TestCaOptions } from '../../../support/test-ca.ts';
import type { Wish } from '../column.ts';

/** An anchor and the CAs below it, as a cell wishes for them. */
export class CaFamily {
  readonly anchor = TestCa.create();
  readonly #wish: Wish;
  readonly #watch: SecretWatch;

  constructor(wish: Wish, watch: SecretWatch) {
    this.#wish = wish;
    this.#watch = watch;
  }

  /** A new CA that shall sign leaves. */
  signing(anchor = this.anchor): TestCa {
    const { depth = 1, caKey, caEndsInMs, narrow } = this.#wish;
    const options: TestCaOptions = {
      ...(caKey !== undefined && { keyType: caKey }),
      ...(caEndsInMs !== undefined && { notAfter: new Date(Date.now() + caEndsInMs) }),
      ...(narrow === true && { permittedDns: ['serviceaccount.identity.kedge.cluster.local'] }),
    };
    const above = depth === 2 ? anchor.intermediate() : anchor;
    const ca = above.intermediate(options);
    this.#watch.privateKey(ca.key);
    return ca;
  }

  /** One below an anchor that nobody knows. */
  stranger(): TestCa {
    return this.signing(TestCa.create());
  }

  /** As its owner would keep it in files or in a Secret. */
  material(ca: TestCa): CaMaterial {
    return {
      certificates: ca.intermediates.map(({ pem }) => pem).join(''),
      privateKey: encodePrivateKey(ca.key),
    };
  }
}
