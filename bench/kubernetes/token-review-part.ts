import { once } from 'node:events';
import { connect } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { identityProcess } from '../../src/cli/demo/processes.ts';
import { World } from '../../src/cli/demo/world.ts';
import { reviewToken } from '../../src/identity/token/token-review.ts';
import { createCsr } from '../../src/pki/csr.ts';
import { generateKeyPair } from '../../src/pki/keys.ts';
import { CertifyRequest } from '../../src/rpc/gen/io/linkerd/proxy/identity/identity.ts';
import { each } from '../../test/cluster/destination/support/objects.ts';
import { controlNamespace, settings } from '../../test/cluster/identity/control-namespace.ts';
import { TestCluster } from '../../test/cluster/test-cluster.ts';
import { whatIsMissing } from '../../test/cluster/what-is-missing.ts';
import { unlimited } from '../ca/identity-peer.ts';
import type { BenchOptions, BenchPart, Round } from '../part.ts';
import { holdSelf } from '../processes/hold-self.ts';
import { Processes } from '../processes/processes.ts';
import { startBundled } from '../processes/start-bundled.ts';

const measure = 'Certify with TokenReview, distinct tokens, 16 at once';
const against = 'TokenReview alone, by the same client';
const atOnce = 16;
/** In each round the sides take turns, each with so many tokens at a time: what else the machine does comes and goes. */
const turnsInRound = 8;
const tokensInTurn = 125;
/** Both sides run for days where they are in earnest; their code is compiled for speed within some thousand calls. */
const warmUpRounds = 4;
const account = { namespace: 'shop', name: 'default' };
const audience = 'identity.l5d.io';

/**
 * The identity process, from its bundle and with its state in a real API server, beside TokenReview alone by the client
 * that identity uses too. No token is used twice, for the API server keeps its good word on one for ten seconds.
 */
export const tokenReviewPart: BenchPart = {
  name: 'token-review',
  run: async (options) => {
    const lacks = whatIsMissing();
    if (lacks !== undefined) return [{ measure, lacks }];
    const floor = { at: 'least', value: 0.5 } as const;
    // In a cluster the API server has machines of its own, and identity competes with it for nothing.
    const apart = await onCluster(options, { apiServer: '0', others: '1' });
    const together = await onCluster(options, { apiServer: '0,1', others: '0,1' });
    return [
      { measure, against, unit: 'req/s', rounds: apart, floor },
      { measure: `${measure}, all on the same cores`, against, unit: 'req/s', rounds: together },
    ];
  },
};

/** Which processor cores are whose. */
interface Cores {
  readonly apiServer: string;
  readonly others: string;
}

async function onCluster(options: BenchOptions, cores: Cores): Promise<Round[]> {
  const cluster = new TestCluster();
  const world = await World.create({ prefix: 'kedge-bench-', ports: [], workloads: [] });
  try {
    options.progress('starting an API server');
    holdSelf(cores.apiServer);
    await cluster.start();
    holdSelf(cores.others);
    return await compare(cluster, world, options);
  } finally {
    holdSelf('0,1');
    world.remove();
    await cluster.end();
  }
}

/** Does one thing with a token. */
interface Side {
  /** What can be made before the time is taken. */
  prepare(token: string): () => Promise<void>;
}

async function compare(
  cluster: TestCluster,
  world: World,
  { rounds, signal, progress }: BenchOptions,
): Promise<Round[]> {
  await using processes = new Processes(signal);
  await cluster.createNamespace('kedge');
  const kubeconfig = await controlNamespace(cluster);
  await cluster.createNamespace(account.namespace);
  await startBundled(identityOn(kubeconfig, world), { processes, world });
  const session = await connected(cluster, world);
  const sides = {
    ours: certifier(session, world),
    peer: await reviewer(cluster, kubeconfig, signal),
  };
  const measured: Round[] = [];
  for (let round = 1 - warmUpRounds; round <= rounds; round += 1) {
    progress(round < 1 ? `${measure}, warming up` : `${measure}, round ${round} of ${rounds}`);
    const runs = {
      ours: (await makeTokens(cluster, signal)).map((token) => sides.ours.prepare(token)),
      peer: (await makeTokens(cluster, signal)).map((token) => sides.peer.prepare(token)),
    };
    const spent: Record<keyof Round, number> = { ours: 0, peer: 0 };
    for (let turn = 0; turn < turnsInRound; turn += 1) {
      const part = [turn * tokensInTurn, (turn + 1) * tokensInTurn] as const;
      for (const side of turn % 2 === 1 ? (['ours', 'peer'] as const) : (['peer', 'ours'] as const))
        spent[side] += await millisecondsOf(runs[side].slice(...part));
    }
    if (round > 0) measured.push({ ours: rateIn(spent.ours), peer: rateIn(spent.peer) });
  }
  session.destroy();
  return measured;
}

/** As it is deployed: issuer and trust bundle in the cluster, a ServiceAccount with no more than its rights. */
function identityOn(kubeconfig: string, world: World): ReturnType<typeof identityProcess> {
  return identityProcess(world, {
    ...settings,
    ...unlimited,
    KEDGE_KUBECONFIG: kubeconfig,
    // Empty is not set.
    KEDGE_TRUST_ANCHORS_FILE: '',
    KEDGE_ISSUER_LOCAL_DIR: '',
    KEDGE_TOKEN_ISSUER: '',
    KEDGE_TOKEN_JWKS_FILE: '',
    KEDGE_TOKEN_SUBJECTS_FILE: '',
  });
}

/** One connection to identity, which proves itself with the anchors that it has published. */
async function connected(cluster: TestCluster, world: World): Promise<ClientHttp2Session> {
  interface Bundle {
    readonly data: Readonly<Record<string, string>>;
  }
  const place = '/api/v1/namespaces/kedge/configmaps/kedge-trust-bundle';
  const { data } = await cluster.expect<Bundle>(place);
  const session = connect(`https://127.0.0.1:${world.ports.identity}`, {
    ca: data['ca-bundle.crt'],
    servername: world.identityOf('identity').dnsName,
  });
  await once(session, 'connect');
  return session;
}

/**
 * Asks identity for certificates, with one CSR. Workloads do that from other machines, so whoever stands for them here
 * should cost little: gRPC by hand, as `h2load` does it where all calls are the same.
 */
function certifier(session: ClientHttp2Session, world: World): Side {
  const { dnsName, spiffeId: uri } = world.domain.identity(account.namespace, account.name);
  const certificateSigningRequest = createCsr({ key: generateKeyPair().privateKey, dnsName, uri });
  return {
    prepare: (token) => {
      const request = { identity: dnsName, token: Buffer.from(token), certificateSigningRequest };
      const frame = framed(CertifyRequest.encode(request).finish());
      return () => certify(session, frame);
    },
  };
}

/** A message as gRPC sends it. */
function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Rejects where no certificate is given. */
function certify(session: ClientHttp2Session, frame: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = session.request({
      ':method': 'POST',
      ':path': '/io.linkerd.proxy.identity.Identity/Certify',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let bytes = 0;
    let status: unknown;
    call.on('data', (chunk: Buffer) => (bytes += chunk.length));
    // Where there is no message, what ends it comes at once.
    for (const part of ['response', 'trailers'])
      call.on(part, (headers: Record<string, unknown>) => (status ??= headers['grpc-status']));
    call.once('error', reject);
    call.once('end', () => {
      if (status === '0' && bytes > 5) resolve();
      else reject(new Error(`expected a certificate, got status ${String(status)} and ${bytes} bytes`));
    });
    call.end(frame);
  });
}

async function reviewer(cluster: TestCluster, kubeconfig: string, signal: AbortSignal): Promise<Side> {
  const client = await cluster.client({ kubeconfig });
  return {
    prepare: (token) => async () => {
      const { authenticated } = await reviewToken(client, token, audience, signal);
      if (authenticated !== true) throw new Error('expected a token that the API server accepts');
    },
  };
}

async function makeTokens(cluster: TestCluster, signal: AbortSignal): Promise<string[]> {
  const tokens: string[] = [];
  await each([...Array(turnsInRound * tokensInTurn).keys()], atOnce, async () => {
    signal.throwIfAborted();
    tokens.push(await cluster.token(account, { audience }));
  });
  return tokens;
}

async function millisecondsOf(runs: readonly (() => Promise<void>)[]): Promise<number> {
  const from = performance.now();
  await each(runs, atOnce, (run) => run());
  return performance.now() - from;
}

/** A second. */
function rateIn(milliseconds: number): number {
  return (turnsInRound * tokensInTurn * 1000) / milliseconds;
}
