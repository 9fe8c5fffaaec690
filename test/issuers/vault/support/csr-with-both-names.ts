import { createCsr, Csr } from '../../../../src/pki/csr.ts';
import { clientIdentity } from '../../../support/rpc-server.ts';
import { keyPair } from '../../support/issue-request.ts';

/** As Kedge's own proxy asks: the DNS name and the SPIFFE ID. */
export const csrWithBothNames = Csr.parse(
  createCsr({ key: keyPair.privateKey, dnsName: clientIdentity.dnsName, uri: clientIdentity.spiffeId }),
);
