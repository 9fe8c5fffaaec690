import type { BenchPart } from '../part.ts';
import { measureCertify } from './certify.ts';
import { measureSigning } from './signing.ts';

/** What issuing a certificate costs, alone and as a service. */
export const caPart: BenchPart = {
  name: 'ca',
  run: async (options) => [...(await measureSigning(options)), ...(await measureCertify(options))],
};
