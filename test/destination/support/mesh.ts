import type { Catalogue } from '../../../src/destination/file/catalogue.ts';
import { catalogueReader } from '../../../src/destination/file/read-catalogue.ts';
import { MeshDomain } from '../../../src/pki/workload-identity.ts';

/** The mesh that the destination tests are about. */
export const mesh = new MeshDomain('kedge', 'mesh.example');

const reader = catalogueReader(mesh);

/** Reads a destination file from its text. */
export function readText(text: string): Catalogue {
  return reader(Buffer.from(text));
}

/** What is wrong with a destination file, as lines; the empty list for a good one. */
export function problemsOf(text: string): string[] {
  try {
    readText(text);
    return [];
  } catch (error) {
    if (Error.isError(error) && 'code' in error && error.code === 'file_invalid')
      return error.message.split('\n');
    throw error;
  }
}
