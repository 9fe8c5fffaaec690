import { Certificate } from '../pki/certificate.ts';

/** Few meshes have more issuers at a time, and a stranger who shows others only makes room for himself. */
const MAX = 16;

/**
 * The certificates of issuers, which nearly all peers show alike: each is read once, its signature verified once, and
 * held once for all connections.
 */
export class IssuerCache {
  readonly #known = new Map<string, Certificate>();

  /** As `Certificate.parse`. */
  parse(der: Buffer): Certificate {
    const key = der.toString('latin1');
    const certificate = this.#known.get(key) ?? Certificate.parse(der);
    // The one that was asked for last is the last to go.
    this.#known.delete(key);
    this.#known.set(key, certificate);
    const [oldest = key] = this.#known.keys();
    if (this.#known.size > MAX) this.#known.delete(oldest);
    return certificate;
  }
}
