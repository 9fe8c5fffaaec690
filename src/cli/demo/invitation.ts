import type { ShopWorld } from './shop.ts';

/** Commands to try while the demo is left running. */
export function invitation(world: ShopWorld): string {
  const { ports, directory } = world;
  const name = world.identityOf('api').dnsName;
  return `
It is left running. In another terminal, try:

  the client's way to the server, through both proxies
    curl http://127.0.0.1:${ports.webToApi}/orders/42
  the same from a workload that the policy does not name
    curl http://127.0.0.1:${ports.guestToApi}/orders/42
  the certificate that the server's proxy shows, again after ten seconds
    npm run --silent kedge -- identity 127.0.0.1:${ports.apiAdmin} --name ${name} --anchors ${world.anchorsFile}
  what the proxies count
    curl -s http://127.0.0.1:${ports.webAdmin}/metrics | grep ^tcp_
  who may connect: edit this file and call again
    ${directory}/destination.yaml
  what the processes log
    ls ${directory}/logs

Ctrl-C ends it and removes ${directory}.`;
}
