import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../../src/cli/demo/world.ts';
import type { PairCertificates } from './pair-certificates.ts';

interface Expected {
  /** Where an inbound proxy listens. */
  readonly port: number;
  /** Of the key exchange. */
  readonly group: string;
}

const patienceMs = 5_000;

/**
 * Makes sure that an inbound proxy does what is compared: TLS 1.3, AES-128, the group, a chain of this CA with its
 * intermediate, nobody let through without a certificate.
 */
export async function checkHandshake(
  world: World,
  files: PairCertificates,
  { port, group }: Expected,
): Promise<void> {
  const pem = await readFile(files.web, 'utf8');
  const { dnsName } = world.identityOf('api');
  const options: ConnectionOptions = {
    host: '127.0.0.1',
    port,
    servername: dnsName,
    ca: world.anchors,
    ecdhCurve: 'X25519MLKEM768:X25519',
    ALPNProtocols: ['transport.l5d.io/v1'],
  };
  const socket = connect({ ...options, cert: pem, key: pem });
  await once(socket, 'secureConnect');
  const got = describe(socket);
  const expected = ['TLSv1.3', 'TLS_AES_128_GCM_SHA256', group, 'intermediate'].join(', ');
  if (got !== expected) throw new Error(`expected ${expected} on port ${port}, got ${got}`);
  socket.destroy();
  if (!(await refuses(connect(options)))) throw new Error(`expected port ${port} to want a certificate`);
}

function describe(socket: TLSSocket): string {
  const { name } = socket.getEphemeralKeyInfo() as { name?: string };
  const { issuerCertificate } = socket.getPeerCertificate(true);
  const chain = issuerCertificate.subject.CN === issuerCertificate.issuer.CN ? 'root' : 'intermediate';
  return [socket.getProtocol(), socket.getCipher().name, name, chain].join(', ');
}

/** A client of TLS 1.3 learns only after its handshake that it was refused. */
async function refuses(socket: TLSSocket): Promise<boolean> {
  const closed = new Promise<boolean>((resolve) => {
    socket.on('error', () => resolve(true));
    socket.on('close', () => resolve(true));
    socket.on('end', () => resolve(true));
  });
  socket.resume();
  const open = sleep(patienceMs, false, { ref: false });
  const result = await Promise.race([closed, open]);
  socket.destroy();
  return result;
}
