import { OID } from '../../../../src/pki/oids.ts';
import type { Behaviour } from '../behaviour.ts';

export const usages = [
  {
    name: 'gives a certificate for both sides of a connection',
    run: async ({ open }) => {
      const { opened } = await open();
      const { leaf } = await opened.ask();
      expect(leaf.keyUsage?.has('digitalSignature')).toBe(true);
      expect(leaf.extendedKeyUsage?.toSorted()).toEqual([OID.serverAuth, OID.clientAuth].toSorted());
    },
  },
  {
    name: 'gives no CA, and no right to sign certificates',
    run: async ({ open }) => {
      const { opened } = await open();
      const { leaf } = await opened.ask();
      expect(leaf.isCa).toBe(false);
      expect(leaf.keyUsage?.has('keyCertSign')).toBe(false);
    },
  },
  {
    name: 'gives each certificate a serial number that nobody can guess',
    run: async ({ open }) => {
      const { opened } = await open();
      const serials = [await opened.ask(), await opened.ask()].map(({ leaf }) => BigInt(`0x${leaf.serial}`));
      const [first = 0n, second = 0n] = serials;
      const apart = first > second ? first - second : second - first;
      for (const number of [first, second, apart]) expect(number > 2n ** 64n).toBe(true);
    },
  },
] as const satisfies readonly Behaviour[];
