import type { ChainOptions, ChainUsage } from '../../../src/pki/verify-chain.ts';
import type { TestCaOptions, TestLeaf, TestLeafOptions } from '../test-ca.ts';
import { TestCa } from '../test-ca.ts';

/** What is verified; at the present time and for both roles unless it says otherwise. */
export type Presented = Omit<ChainOptions, 'at' | 'usage'> & { readonly usage?: ChainUsage };

/** A chain that holds: how many certificates its path has. */
export type Sound = readonly [name: string, chain: Presented, length: number];

/** A chain that must be refused: how the refusal begins. */
export type Broken = readonly [name: string, chain: Presented, refused: string];

/** The name `TestCa.leaf` gives, and with it the label of a leaf in messages. */
export const LEAF = 'web.shop.serviceaccount.identity.kedge.cluster.local';

/** What a peer of this CA would present, judged by the anchor it hangs from. */
export function presented(
  ca: TestCa,
  leaf: TestLeaf = ca.leaf(),
  change: Partial<Presented> = {},
): Presented {
  return { leaf: leaf.certificate, intermediates: leaf.chain.slice(1), bundle: ca.bundle, ...change };
}

/** A leaf right below an anchor. */
export function leafWith(options: TestLeafOptions, change: Partial<Presented> = {}): Presented {
  const ca = root();
  return presented(ca, ca.leaf(options), change);
}

/** A CA that is itself what is verified. */
export function asCa(ca: TestCa): Presented {
  return { leaf: ca.certificate, intermediates: ca.intermediates.slice(1), bundle: ca.bundle, usage: 'ca' };
}

export function root(options: TestCaOptions = {}): TestCa {
  return TestCa.create({ commonName: 'root', ...options });
}

/** A CA below an anchor. */
export function middle(options: TestCaOptions = {}): TestCa {
  return root().intermediate({ commonName: 'middle', ...options });
}

/** The lowest of `count` CAs below an anchor. */
export function deep(count: number): TestCa {
  let ca = root();
  for (let i = 0; i < count; i++) ca = ca.intermediate();
  return ca;
}
