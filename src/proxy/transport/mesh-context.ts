import { createSecureContext } from 'node:tls';
import type { SecureContext, SecureContextOptions } from 'node:tls';

import type { Credentials } from '../../pki/credentials.ts';
import { secureContextOptions } from '../../rpc/mesh-tls.ts';
import type { KeyExchangeGroup } from '../../rpc/mesh-tls.ts';
import type { Latest } from '../../runtime/latest.ts';
import { proxyErrors } from '../errors.ts';

/** What handshakes are made with while these credentials are the newest. */
export interface MeshContext {
  readonly credentials: Credentials;
  readonly options: SecureContextOptions;
  readonly secureContext: SecureContext;
}

/** The TLS context of the present credentials. Building one parses keys and anchors, so it is kept until they change. */
export class MeshContexts {
  readonly #credentials: Latest<Credentials | undefined>;
  readonly #groups: readonly KeyExchangeGroup[] | undefined;
  #present: MeshContext | undefined;

  /** All groups where none are given. */
  constructor(credentials: Latest<Credentials | undefined>, groups?: readonly KeyExchangeGroup[]) {
    this.#credentials = credentials;
    this.#groups = groups;
  }

  /** Throws `mesh_no_certificate` before the first certificate. */
  get present(): MeshContext {
    const credentials = this.#credentials.value;
    if (credentials === undefined) {
      throw proxyErrors.error('mesh_no_certificate', 'expected a certificate of our own, got none yet');
    }
    if (this.#present?.credentials !== credentials) {
      const options = secureContextOptions(credentials, credentials.bundle, this.#groups);
      this.#present = { credentials, options, secureContext: createSecureContext(options) };
    }
    return this.#present;
  }
}
