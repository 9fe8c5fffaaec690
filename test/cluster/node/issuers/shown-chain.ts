import { Certificate } from '../../../../src/pki/certificate.ts';
import type { RunningShop } from '../shop/running-shop.ts';

const inboundPort = 4143;
const apiIdentity = 'api.shop.serviceaccount.identity.kedge.cluster.local';

/** The certificates that `api` shows to whoever connects to it, the leaf first. */
export async function shownChain(shop: RunningShop): Promise<Certificate[]> {
  const newest = ['--selector=app=api', '--sort-by=.metadata.creationTimestamp'];
  const path = '--output=jsonpath={.items[-1:].status.podIP}';
  const address = await shop.kubectl(['get', 'pods', ...newest, path]);
  return Certificate.parsePem(await shop.inWeb(script(address)));
}

/** Nobody is verified here: what is wanted is what was shown. */
const script = (host: string): string => `
  const options = ${JSON.stringify({ host, port: inboundPort, servername: apiIdentity, rejectUnauthorized: false })};
  const socket = require('node:tls').connect(options, () => {
    const seen = new Set();
    for (let each = socket.getPeerCertificate(true); each?.raw; each = each.issuerCertificate) {
      if (seen.has(each.fingerprint256)) break;
      seen.add(each.fingerprint256);
      const text = each.raw.toString('base64').replace(/.{64}/g, '$&\\n').trim();
      console.log('-----BEGIN CERTIFICATE-----\\n' + text + '\\n-----END CERTIFICATE-----');
    }
    socket.destroy();
  });
`;
