import { join } from 'node:path';
import type { KubeClient } from '../../../kube/kube-client.ts';
import { secrets } from '../../../kube/resources.ts';
import { isAppError } from '../../../runtime/errors.ts';
import { readFiles } from '../../../runtime/read-files.ts';
import { examineCa } from '../../doctor/examine-ca.ts';
import { failure } from '../../doctor/failure.ts';
import { failed, type Check, type Finding } from '../../doctor/finding.ts';
import type { ExaminationNeeds } from '../../doctor/needs.ts';
import { caNames } from '../ca-material.ts';
import { caTextsOf, type CaTexts, type SecretData } from '../secret-source.ts';

export interface LocalExamination extends ExaminationNeeds {
  /** Where the CA is: in a directory, or in a Secret of the control namespace. */
  readonly directory: string | undefined;
  readonly secret: string | undefined;
  /** Needed for a Secret. */
  readonly client: Pick<KubeClient, 'list'> | undefined;
}

const present: Check = { check: 'local.ca', title: 'the key pair of the CA can be read' };

/** The CA of the mesh's own; nobody else is asked. */
export async function examineLocal(examination: LocalExamination): Promise<Finding[]> {
  const { directory = '', secret, mesh } = examination;
  const where = secret === undefined ? directory : `the Secret ${mesh.controlNamespace}/${secret}`;
  try {
    const texts = secret === undefined ? await inDirectory(directory) : await inSecret(secret, examination);
    if (texts !== undefined) return examineCa({ where, texts }, examination);
    const remedy = 'Make it (`kedge bootstrap`), or set KEDGE_ISSUER_BOOTSTRAP.';
    return [failed(present, `there is no ${where}`, { concerns: 'secret', remedy })];
  } catch (error) {
    if (!isAppError(error)) throw error;
    return [failure(present, error, secret === undefined ? 'directory' : 'secret')];
  }
}

async function inDirectory(directory: string): Promise<CaTexts> {
  const optionalPaths = caNames.map((name) => join(directory, name));
  const files = await readFiles({ paths: [], optionalPaths });
  const texts = caNames.map((name) => [name, files.get(join(directory, name))?.toString('utf8')] as const);
  return Object.fromEntries(texts.filter((each): each is [string, string] => each[1] !== undefined));
}

/** By its name with the right to list, as the identity service has it. */
async function inSecret(
  name: string,
  { client, mesh, signal }: LocalExamination,
): Promise<CaTexts | undefined> {
  if (client === undefined) throw new TypeError('expected an API server to ask');
  const fieldSelector = `metadata.name=${name}`;
  const place = { namespace: mesh.controlNamespace };
  const { items } = await client.list<SecretData>(secrets, place, { fieldSelector }, signal);
  return items[0] === undefined ? undefined : caTextsOf(items[0]);
}
