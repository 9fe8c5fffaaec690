import { identityProcess } from '../../src/cli/demo/processes.ts';
import { World } from '../../src/cli/demo/world.ts';
import { reviewToken } from '../../src/identity/token/token-review.ts';
import { createCsr } from '../../src/pki/csr.ts';
import { generateKeyPair } from '../../src/pki/keys.ts';
import { TrustBundle } from '../../src/pki/trust-bundle.ts';
import { connectChannel } from '../../src/rpc/connect-channel.ts';
import { identityClient } from '../../src/rpc/identity-api.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { each } from '../../test/cluster/destination/support/objects.ts';
import { controlNamespace, settings } from '../../test/cluster/identity/control-namespace.ts';
import { TestCluster } from '../../test/cluster/test-cluster.ts';
import { whatIsMissing } from '../../test/cluster/what-is-missing.ts';
import { LogCapture } from '../../test/support/log-capture.ts';
import { unlimited } from '../ca/identity-peer.ts';
import type { BenchOptions, BenchPart, Round } from '../part.ts';
import { Processes } from '../processes/processes.ts';
import { startBundled } from '../processes/start-bundled.ts';

const measure = 'Certify with TokenReview, distinct tokens, 16 at once';
const atOnce = 16;
/** In each round the sides take turns, each with so many tokens at a time: what else the machine does comes and goes. */
const turnsInRound = 8;
const tokensInTurn = 125;
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
    const cluster = new TestCluster();
    const world = await World.create({ prefix: 'kedge-bench-', ports: [], workloads: [] });
    try {
      options.progress('starting an API server');
      await cluster.start();
      const rounds = await compare(cluster, world, options);
      const against = 'TokenReview alone, by the same client';
      return [{ measure, against, unit: 'req/s', rounds, floor: { at: 'least', value: 0.5 } }];
    } finally {
      world.remove();
      await cluster.end();
    }
  },
};

/** Does one thing with a token; rejects where that is not granted. */
type Use = (token: string) => Promise<unknown>;

async function compare(
  cluster: TestCluster,
  world: World,
  { rounds, signal, progress }: BenchOptions,
): Promise<Round[]> {
  await using processes = new Processes(signal);
  const kubeconfig = await controlNamespace(cluster);
  await cluster.createNamespace(account.namespace);
  await startBundled(identityOn(kubeconfig, world), { processes, world });
  using certify = await certifier(cluster, world);
  const review = await reviewer(cluster, kubeconfig, signal);
  const measured: Round[] = [];
  // The first round warms both sides up.
  for (let round = 0; round <= rounds; round += 1) {
    progress(round === 0 ? `${measure}, warming up` : `${measure}, round ${round} of ${rounds}`);
    const both = { ours: await makeTokens(cluster, signal), peer: await makeTokens(cluster, signal) };
    const spent: Record<keyof Round, number> = { ours: 0, peer: 0 };
    for (let turn = 0; turn < turnsInRound; turn += 1) {
      const part = [turn * tokensInTurn, (turn + 1) * tokensInTurn] as const;
      const runs = {
        ours: () => millisecondsOf(both.ours.slice(...part), certify.use),
        peer: () => millisecondsOf(both.peer.slice(...part), review),
      };
      for (const side of turn % 2 === 1 ? (['ours', 'peer'] as const) : (['peer', 'ours'] as const))
        spent[side] += await runs[side]();
    }
    if (round > 0) measured.push({ ours: rateIn(spent.ours), peer: rateIn(spent.peer) });
  }
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

/** Asks identity for a certificate, on one connection and with one CSR. */
async function certifier(cluster: TestCluster, world: World): Promise<{ use: Use } & Disposable> {
  interface Bundle {
    readonly data: Readonly<Record<string, string>>;
  }
  const place = '/api/v1/namespaces/kedge/configmaps/kedge-trust-bundle';
  const { data } = await cluster.expect<Bundle>(place);
  const channel = connectChannel({
    address: { host: '127.0.0.1', port: world.ports.identity },
    serverName: world.identityOf('identity').dnsName,
    credentials: new LatestValue(undefined),
    bundle: new LatestValue(TrustBundle.parsePem(data['ca-bundle.crt'] ?? '')),
    log: new LogCapture(),
  });
  const client = identityClient(channel);
  const { dnsName, spiffeId: uri } = world.domain.identity(account.namespace, account.name);
  const certificateSigningRequest = createCsr({ key: generateKeyPair().privateKey, dnsName, uri });
  return {
    use: (token) =>
      client.certify({ identity: dnsName, token: Buffer.from(token), certificateSigningRequest }),
    [Symbol.dispose]: () => channel.close(),
  };
}

async function reviewer(cluster: TestCluster, kubeconfig: string, signal: AbortSignal): Promise<Use> {
  const client = await cluster.client({ kubeconfig });
  return async (token) => {
    const { authenticated } = await reviewToken(client, token, audience, signal);
    if (authenticated !== true) throw new Error('expected a token that the API server accepts');
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

async function millisecondsOf(tokens: readonly string[], use: Use): Promise<number> {
  const from = performance.now();
  await each(tokens, atOnce, use);
  return performance.now() - from;
}

/** A second. */
function rateIn(milliseconds: number): number {
  return (turnsInRound * tokensInTurn * 1000) / milliseconds;
}
