import { encodeName } from '../../../src/pki/distinguished-name.ts';
import { buildCsr, challengePassword } from '../../support/csr-builder.ts';
import { generalName, keyUsage } from '../../support/certificate-builder.ts';
import { MeshDomain } from '../../../src/pki/workload-identity.ts';
import { signedAgain } from './certificates.ts';
import { ed25519, mersenneRsa, p256 } from './fixed-keys.ts';

export const mesh = new MeshDomain('kedge', 'cluster.local');
export const workload = mesh.identity('shop', 'web');

const keyPair = p256('request');

/** What Kedge's proxy sends. */
export const honestRequest = signedAgain(buildCsr({ keyPair, uris: [workload.spiffeId] }), 'request');

/** Honest requests, and some that ask for more than they get. */
export const requests: readonly Buffer[] = [
  honestRequest,
  signedAgain(buildCsr({ keyPair, commonName: workload.dnsName }), 'request'),
  signedAgain(
    buildCsr({
      keyPair,
      subject: encodeName('somebody'),
      ips: [[10, 0, 0, 1]],
      emails: ['a@b.example'],
      names: [generalName.directory(encodeName('x'))],
      ca: true,
      extensions: [keyUsage(0)],
      attributes: [challengePassword('hunter2')],
    }),
    'request',
  ),
  buildCsr({ keyPair: ed25519('request') }),
  buildCsr({ keyPair: mersenneRsa(), extensionRequest: false }),
];
