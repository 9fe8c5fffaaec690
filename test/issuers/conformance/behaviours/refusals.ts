import type { AppError } from '../../../../src/runtime/errors.ts';
import { isAppError } from '../../../../src/runtime/errors.ts';
import { MeshDomain } from '../../../../src/pki/workload-identity.ts';
import { clientIdentity } from '../../../support/rpc-server.ts';
import type { Behaviour } from '../behaviour.ts';
import { fault } from '../behaviour.ts';
import type { Given } from '../open-issuer.ts';

const foreign = new MeshDomain('kedge', 'evil.example').identity('shop', 'web');
const refusedMessage = 'the issuer answered with a wrong certificate, which was thrown away';

export const refusals = [
  {
    name: 'gives no name that the CA may not sign for',
    run: async ({ open }) => {
      const { opened } = await open({ narrow: true });
      expect((await opened.ask()).leaf.sans.dns).toEqual([clientIdentity.dnsName]);
      const { kind } = await refusedWith(opened.ask({ identity: foreign }));
      expect(['failed_precondition', 'internal']).toContain(kind);
    },
  },
  {
    name: 'gives no CA to a signing request that asks for one',
    run: async ({ open }) => {
      const { opened } = await open();
      const answer = await settled(opened.ask({ csr: { ca: true } }));
      if ('kind' in answer) expect(['failed_precondition', 'internal']).toContain(answer.kind);
      else expect(answer.leaf.isCa).toBe(false);
    },
  },
  {
    name: 'gives no name that was not decided on, though the signing request has it',
    run: async ({ open }) => {
      const { opened } = await open();
      const dnsNames = [clientIdentity.dnsName, 'evil.cluster.local'];
      const answer = await settled(opened.ask({ csr: { dnsNames } }));
      if ('kind' in answer) expect(['failed_precondition', 'internal']).toContain(answer.kind);
      else expect(answer.leaf.sans.dns).toEqual([clientIdentity.dnsName]);
    },
  },
  {
    name: 'throws a wrong answer away, counts it by its rule, and tells the log alone what was wrong',
    run: async ({ open }) => {
      const subject = await open();
      const { opened } = subject;
      const rule = await fault(subject, 'misbehave')();
      const { code, message } = await refusedWith(opened.ask());
      expect([code, message]).toEqual([
        'issued_certificate_refused',
        `the certificate from the issuer breaks the rule "${rule}"; the log of the identity service says how`,
      ]);
      expect(await opened.metricsText()).toContain(`kedge_issuer_refused_answers_total{rule="${rule}"} 1\n`);
      expect(opened.log.withMessage(refusedMessage)).toHaveLength(1);
    },
  },
] as const satisfies readonly Behaviour[];

async function settled(answer: Promise<Given>): Promise<Given | AppError> {
  try {
    return await answer;
  } catch (error) {
    if (isAppError(error)) return error;
    throw error;
  }
}

async function refusedWith(answer: Promise<Given>): Promise<AppError> {
  const found = await settled(answer);
  if ('kind' in found) return found;
  throw new Error('expected a refusal, got a certificate');
}
