import type { KubeClient } from '../../../kube/kube-client.ts';
import { certificates, secrets } from '../../../kube/resources.ts';
import { errorCode } from '../../../runtime/errors.ts';
import { examineCa } from '../../doctor/examine-ca.ts';
import { failure } from '../../doctor/failure.ts';
import { failed, passed, skipped, type Check, type Finding } from '../../doctor/finding.ts';
import type { ExaminationNeeds } from '../../doctor/needs.ts';
import type { SecretData } from '../../local/secret-source.ts';
import { certificateTextsOf } from '../certificate-secret.ts';
import { shownText } from '../shown-text.ts';
import { conditionOf, type Conditioned } from './kinds.ts';

export interface ExaminedCertificate extends ExaminationNeeds {
  readonly client: Pick<KubeClient, 'list'>;
  /** The control namespace. */
  readonly namespace: string;
  readonly secret: string;
}

interface CertificateObject extends Conditioned {
  readonly spec?: { readonly secretName?: string; readonly isCA?: boolean };
}

const present: Check = { check: 'cert-manager.certificate', title: 'its Certificate is ready' };
const kept: Check = { check: 'cert-manager.secret', title: 'the Secret of the CA can be read' };

const constrainedBy =
  'Nothing but the CAs above hold it to its names. Give the Certificate nameConstraints.permitted.dnsDomains with the trust domain (cert-manager 1.17 and later), or constrain the CA behind the issuer.';

/** The `Certificate`, where it may be seen, and the CA in its Secret. */
export async function examineCertificate(options: ExaminedCertificate): Promise<Finding[]> {
  return [await examineObject(options), ...(await examineSecret(options))];
}

async function examineObject({ client, namespace, secret, signal }: ExaminedCertificate): Promise<Finding> {
  const remedy = `Make one with isCA and secretName ${secret} (the chart does, and \`kedge doctor issuer --print\` prints it), and see what it says: kubectl -n ${namespace} describe certificate.`;
  try {
    const { items } = await client.list<CertificateObject>(certificates, { namespace }, {}, signal);
    const found = items.find(({ spec }) => spec?.secretName === secret);
    if (found === undefined)
      return failed(present, `there is none for the Secret ${secret}`, { concerns: 'certificate', remedy });
    const { metadata, spec } = found;
    if (spec?.isCA !== true)
      return failed(present, `${metadata.name} is for no CA (isCA)`, {
        concerns: 'certificate isCA',
        remedy,
      });
    const ready = conditionOf(found, 'Ready');
    if (ready?.status === 'True') return passed(present, metadata.name);
    const said = shownText(`${ready?.reason ?? 'nobody has looked at it yet'}: ${ready?.message ?? ''}`);
    return failed(present, `${metadata.name} is not ready: ${said}`, { concerns: 'certificate', remedy });
  } catch (error) {
    if (errorCode(error) === 'kube_forbidden')
      return skipped(present, 'it may not be looked at, and need not');
    return failure(present, error, 'certificate');
  }
}

/** Read as the identity service does: by its name, with the right to list and no other. */
async function examineSecret(options: ExaminedCertificate): Promise<Finding[]> {
  const { client, namespace, secret, signal } = options;
  const where = `the Secret ${namespace}/${secret}`;
  try {
    const fieldSelector = `metadata.name=${secret}`;
    const { items } = await client.list<SecretData>(secrets, { namespace }, { fieldSelector }, signal);
    const [found] = items;
    if (found === undefined) {
      const remedy =
        'cert-manager makes it once the Certificate is ready. Correct KEDGE_CERT_MANAGER_SECRET where it has another name.';
      return [failed(kept, `there is no ${where.slice(4)}`, { concerns: 'certificate', remedy })];
    }
    const texts = certificateTextsOf(found);
    return [passed(kept, where), ...examineCa({ where, texts, constrainedBy }, options)];
  } catch (error) {
    return [failure(kept, error, errorCode(error) === 'kube_forbidden' ? 'rbac secrets list' : 'secret')];
  }
}
