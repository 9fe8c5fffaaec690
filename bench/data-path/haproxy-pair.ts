import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../src/cli/demo/free-ports.ts';
import type { World } from '../../src/cli/demo/world.ts';
import { onCore } from '../processes/on-core.ts';
import type { Processes, Started } from '../processes/processes.ts';
import type { PairCertificates } from './pair-certificates.ts';
import type { Pair } from './pair.ts';

const patienceMs = 10_000;

/**
 * The same mutual TLS 1.3 by two haproxy processes of one thread each: AES-128, the group X25519 by the inbound one's
 * choice, a full handshake for each connection, chains of the same length, and both sides verify the chain and, where
 * they dial, the name.
 */
export async function startHaproxyPair(
  world: World,
  files: PairCertificates,
  processes: Processes,
  program: string,
): Promise<Pair & { readonly inboundPort: number }> {
  const [port = 0, between = 0, applicationPort = 0] = await freePorts(3);
  const { dnsName } = world.identityOf('api');
  const verified = `ca-file ${files.anchors} verify required`;
  const inbound = `  bind 127.0.0.1:${between} backlog 4096 ssl crt ${files.api} ${verified}
  server application 127.0.0.1:${applicationPort}
`;
  const outbound = `  bind 127.0.0.1:${port} backlog 4096
  server peer 127.0.0.1:${between} ssl crt ${files.web} ${verified} sni str(${dnsName}) verifyhost ${dnsName} no-ssl-reuse
`;
  const start = async (name: string, lines: string, core: 0 | 1): Promise<Started> => {
    const file = world.path(`haproxy-${name}.cfg`);
    await writeFile(file, common + lines);
    return processes.start(`haproxy ${name}`, onCore(core, [program, '-db', '-f', file]), {
      logFile: world.path('logs', `haproxy-${name}.log`),
    });
  };
  const started = [await start('inbound', inbound, 1), await start('outbound', outbound, 0)];
  const lastWords = (): string => started.map((each) => each.lastWords()).join('');
  const checkRunning = (): void => {
    for (const each of started) each.checkRunning();
  };
  await Promise.all([port, between].map((each) => accepting(each, checkRunning)));
  const processIds = started.map(({ pid }) => pid);
  return {
    name: 'haproxy',
    port,
    inboundPort: between,
    applicationPort,
    processIds,
    lastWords,
    checkRunning,
  };
}

const common = `global
  nbthread 1
  maxconn 9900
  tune.ssl.cachesize 0
  ssl-default-bind-options ssl-min-ver TLSv1.3 no-tls-tickets
  ssl-default-server-options ssl-min-ver TLSv1.3 no-tls-tickets
  ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
  ssl-default-server-ciphersuites TLS_AES_128_GCM_SHA256
  ssl-default-bind-curves X25519
defaults
  mode tcp
  maxconn 9900
  timeout connect 10s
  timeout client 1d
  timeout server 1d
listen pair
`;

async function accepting(port: number, checkRunning: () => void): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await accepts(port))) {
    checkRunning();
    if (performance.now() > deadline)
      throw new Error(`expected haproxy to listen on port ${port} within 10 s`);
    await sleep(20);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
