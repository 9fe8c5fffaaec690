import type { Answer } from '../../../src/issuers/issued-rules.ts';
import type { IssueRequest } from '../../../src/issuers/issuer.ts';
import { Csr } from '../../../src/pki/csr.ts';
import type { KeyPair } from '../../support/certificate-builder.ts';
import { testKeyPair } from '../../support/certificate-builder.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { clientIdentity } from '../../support/rpc-server.ts';
import type { TestCa, TestLeafOptions } from '../../support/test-ca.ts';

const hour = 3_600_000;

/** Whole seconds around now, so that what a certificate says is what was asked for. */
export const now = new Date(Math.floor(Date.now() / 1000) * 1000);
export const later = (ms: number): Date => new Date(now.getTime() + ms);

export const keyPair: KeyPair = testKeyPair();
export const csr = Csr.parse(buildCsr({ keyPair }));

/** For an hour, with the DNS name of `clientIdentity`. */
export const dnsOnlyRequest: IssueRequest = {
  identity: clientIdentity,
  csr,
  dnsName: clientIdentity.dnsName,
  notBefore: later(-20_000),
  notAfter: later(hour),
};

/** The same with both names. */
export const request: IssueRequest = { ...dnsOnlyRequest, uri: clientIdentity.spiffeId };

/** What a CA answers that does as it was asked, but for the options. */
export function answerOf(ca: TestCa, options: TestLeafOptions = {}): Answer {
  const { notBefore, notAfter } = request;
  const leaf = ca.leaf({ identity: clientIdentity, keyPair, notBefore, notAfter, ...options });
  const intermediates = [ca.certificate, ...ca.chain];
  return { request, issued: { leaf: leaf.certificate, intermediates }, bundle: ca.bundle, now };
}
