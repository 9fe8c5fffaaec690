import { MeshDomain } from '../../../../src/pki/workload-identity.ts';
import { testKeyPair } from '../../../support/certificate-builder.ts';
import { clientIdentity } from '../../../support/rpc-server.ts';
import type { Behaviour } from '../behaviour.ts';

const domain = new MeshDomain('kedge', 'cluster.local');

export const names = [
  {
    name: 'gives the DNS name first, then the SPIFFE ID, and no other name',
    run: async ({ open }) => {
      const { opened } = await open();
      const { leaf } = await opened.ask();
      const { dnsFirst, dns, uri, ip, email, other } = leaf.sans;
      expect(dnsFirst).toBe(true);
      expect([dns, uri]).toEqual([[clientIdentity.dnsName], [clientIdentity.spiffeId]]);
      expect([ip, email, other]).toEqual([[], [], 0]);
    },
  },
  {
    name: 'gives the DNS name alone where only that is asked for',
    run: async ({ open }) => {
      const { opened } = await open();
      const { leaf } = await opened.ask({ dnsOnly: true });
      expect([leaf.sans.dns, leaf.sans.uri]).toEqual([[clientIdentity.dnsName], []]);
    },
  },
  {
    name: 'gives names that are longer than a common name may be',
    run: async ({ open }) => {
      const { opened } = await open();
      const identity = domain.identity('n'.repeat(63), `${'s'.repeat(63)}.${'a'.repeat(40)}`);
      const { leaf } = await opened.ask({ identity });
      expect(leaf.sans.dns).toEqual([identity.dnsName]);
    },
  },
  {
    name: 'signs the key of the signing request',
    run: async ({ open }) => {
      const { opened } = await open();
      const keyPair = testKeyPair();
      const { leaf, request } = await opened.ask({ csr: { keyPair } });
      expect(leaf.publicKey.equals(request.csr.publicKey)).toBe(true);
    },
  },
] as const satisfies readonly Behaviour[];
