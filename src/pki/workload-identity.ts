import { isDnsLabel, isDnsName } from '../runtime/dns-names.ts';
import { quoted } from '../runtime/quoted.ts';
import { pkiErrors } from './errors.ts';

const TYPE = 'serviceaccount';
const MAX_NAME = 253;

/**
 * The names of one mesh: who runs it (control namespace) and which names it may give (trust domain).
 * Throws `identity_malformed` when the namespace is not a DNS label or the domain not a DNS name.
 */
export class MeshDomain {
  readonly controlNamespace: string;
  readonly trustDomain: string;
  readonly #suffix: string;

  constructor(controlNamespace: string, trustDomain: string) {
    checkLabel('control namespace', controlNamespace);
    checkName('trust domain', trustDomain);
    this.controlNamespace = controlNamespace;
    this.trustDomain = trustDomain;
    this.#suffix = `.${TYPE}.identity.${controlNamespace}.${trustDomain}`;
  }

  /** The identity of a ServiceAccount. Its name may contain dots, the namespace may not (Kubernetes allows both). */
  identity(namespace: string, serviceAccount: string): WorkloadIdentity {
    return WorkloadIdentity.of(this, namespace, serviceAccount);
  }

  /** Reads a DNS name of this mesh, from the right, so that dots in the ServiceAccount stay with it. */
  parse(dnsName: string): WorkloadIdentity {
    if (!dnsName.endsWith(this.#suffix)) {
      throw pkiErrors.error(
        'identity_malformed',
        `expected a name ending in ${this.#suffix}, got ${quoted(dnsName)}`,
      );
    }
    const rest = dnsName.slice(0, -this.#suffix.length);
    const dot = rest.lastIndexOf('.');
    if (dot < 0) {
      throw pkiErrors.error(
        'identity_malformed',
        `expected <service account>.<namespace> before ${this.#suffix}, got ${quoted(rest)}`,
      );
    }
    return WorkloadIdentity.of(this, rest.slice(dot + 1), rest.slice(0, dot));
  }
}

/** Who a workload is: one ServiceAccount of one mesh. Made by `MeshDomain`; equal when the DNS names are. */
export class WorkloadIdentity {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** `<sa>.<ns>.serviceaccount.identity.<control namespace>.<trust domain>` (contract 1.4): SAN, SNI and policy name. */
  readonly dnsName: string;
  /** `spiffe://<trust domain>/ns/<ns>/sa/<sa>`. */
  readonly spiffeId: string;

  private constructor(domain: MeshDomain, namespace: string, serviceAccount: string) {
    this.namespace = namespace;
    this.serviceAccount = serviceAccount;
    this.dnsName = `${serviceAccount}.${namespace}.${TYPE}.identity.${domain.controlNamespace}.${domain.trustDomain}`;
    this.spiffeId = `spiffe://${domain.trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
  }

  /** Throws `identity_malformed` unless both parts are names Kubernetes gives and the whole fits a DNS name. */
  static of(domain: MeshDomain, namespace: string, serviceAccount: string): WorkloadIdentity {
    checkLabel('namespace', namespace);
    checkName('service account', serviceAccount);
    const identity = new WorkloadIdentity(domain, namespace, serviceAccount);
    checkName('identity', identity.dnsName);
    return identity;
  }

  equals(other: WorkloadIdentity): boolean {
    return this.dnsName === other.dnsName;
  }

  toString(): string {
    return this.dnsName;
  }
}

function checkLabel(what: string, value: string): void {
  if (!isDnsLabel(value)) {
    throw pkiErrors.error(
      'identity_malformed',
      `expected the ${what} to be a DNS label (a-z, 0-9, -, at most 63 characters), got ${quoted(value)}`,
    );
  }
}

function checkName(what: string, value: string): void {
  if (value.length > MAX_NAME) {
    throw pkiErrors.error(
      'identity_malformed',
      `expected the ${what} to be at most ${MAX_NAME} characters, got ${value.length}`,
    );
  }
  if (!isDnsName(value)) {
    throw pkiErrors.error(
      'identity_malformed',
      `expected the ${what} to be DNS labels joined by dots, got ${quoted(value)}`,
    );
  }
}
