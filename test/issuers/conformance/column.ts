import type { Certificate } from '../../../src/pki/certificate.ts';
import type { TestKeyType } from '../../support/certificate-builder.ts';
import type { BehaviourName } from './behaviours.ts';
import type { ColumnName } from './table.ts';
import type { OpenIssuer } from './open-issuer.ts';

/** How the CA of one cell shall be set up. */
export interface Wish {
  /** Of the CA that signs. */
  readonly caKey?: TestKeyType;
  /** CAs between the anchor and a leaf; one unless told. */
  readonly depth?: 1 | 2;
  /** Milliseconds from now to the end of the CA that signs. */
  readonly caEndsInMs?: number;
  /** The longest life that the rules of the CA allow a leaf. */
  readonly maxLifetimeMs?: number;
  /** Whether the CA may sign for the trust domain of the mesh only. */
  readonly narrow?: boolean;
  /** Milliseconds after which the issuer no longer waits for an answer. */
  readonly timeoutMs?: number;
  /** What signs here is renewed within seconds, where it is renewed by time alone. */
  readonly renewsSoon?: boolean;
  /** There is nothing to sign with yet; `faults.arrive` brings it. */
  readonly empty?: boolean;
}

/** Ends what was begun. */
export type End = () => Promise<void>;

/** What can be done to the CA behind an issuer; a column lacks what its CA cannot be made to do, and says why. */
export interface Faults {
  /** The CA takes calls, and answers none. */
  readonly silence?: () => Promise<End>;
  /** The CA cannot be asked at all. */
  readonly takeAway?: () => Promise<End>;
  /** Calls, or objects that stand for them, that the CA still works on; resolves to their number. */
  readonly openCalls?: () => Promise<number>;
  /** Another CA of the same anchor signs in place of the first; resolves to its certificate, where that is known. */
  readonly replace?: () => Promise<Certificate | undefined>;
  /** A CA of an anchor that nobody published takes the place of the first. */
  readonly replaceByStranger?: () => Promise<void>;
  /** What the issuer shall sign with next is no CA at all. */
  readonly spoil?: () => Promise<void>;
  /** The CA signs otherwise than asked; resolves to the rule that this breaks. */
  readonly misbehave?: () => Promise<string>;
  /** What the issuer has logged in with no longer counts. */
  readonly revokeLogin?: () => Promise<void>;
  /** After `empty`. */
  readonly arrive?: () => Promise<void>;
}

/** An issuer to be put to the test, in one cell, with the CA behind it. */
export interface IssuerUnderTest {
  /** As the identity service has it, with everything around it. */
  readonly opened: OpenIssuer;
  readonly faults: Faults;
  /** Ends the issuer, and puts the CA back to where it was. */
  readonly close: End;
}

/** One issuer in one mode, on one kind of CA. */
export interface Column {
  readonly name: ColumnName;
  /** What stands behind the issuer: `real OpenBao 2.7.2`, `scripted`. */
  readonly seenOn: string;
  /** Behaviours that make no sense here or cannot be brought about, each with the reason. */
  readonly cannot: Readonly<Partial<Record<BehaviourName, string>>>;
  readonly open: (wish: Wish) => Promise<IssuerUnderTest>;
}
