import type { Happening, ObjectReference } from '../../kube/event-series.ts';
import type { Certificate } from '../../pki/certificate.ts';
import type { WorkloadIdentity } from '../../pki/workload-identity.ts';
import type { AuditEvents } from '../audit.ts';

/** Where Events go; the recorder sums up what comes too fast. */
export interface Recorder {
  record(happening: Happening): void;
}

/**
 * Events of certificates given and refused, in the words of the contract (1.7), on the ServiceAccount that was proved; a
 * refusal that proved none is one of this service.
 */
export class IssuanceEvents implements AuditEvents {
  readonly #recorder: Recorder;
  readonly #service: ObjectReference;

  constructor(recorder: Recorder, service: ObjectReference) {
    this.#recorder = recorder;
    this.#service = service;
  }

  given(identity: WorkloadIdentity, { notAfter, fingerprint }: Certificate): void {
    this.#recorder.record({
      regarding: serviceAccount(identity),
      type: 'Normal',
      reason: 'IssuedLeafCertificate',
      action: 'Issue',
      note: `issued certificate for ${identity.dnsName} until ${notAfter.toISOString()}: ${fingerprint}`,
    });
  }

  refused(identity: WorkloadIdentity | undefined, code: string, reason: string): void {
    this.#recorder.record({
      regarding: identity === undefined ? this.#service : serviceAccount(identity),
      type: 'Warning',
      reason: 'LeafCertificateRefused',
      action: 'Issue',
      note: `refused a certificate (${code}): ${reason}`,
    });
  }
}

function serviceAccount({ namespace, serviceAccount: name }: WorkloadIdentity): ObjectReference {
  return { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name };
}
