import type { KubeClient } from '../../kube/kube-client.ts';
import type { PathReader } from '../../kube/path-reader.ts';
import type { MeshDomain } from '../../pki/workload-identity.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ValuesOf } from '../../runtime/env.ts';
import type { Log } from '../../runtime/log.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { FileSource } from '../file-source.ts';
import type { Health } from '../health.ts';
import type { identitySettings } from '../settings.ts';
import { tokenKeysInFile } from './jwks-file.ts';
import { keysAtUrl } from './jwks-url.ts';
import { JwksVerifier } from './jwks-verifier.ts';
import { keysOfCluster, PublishedIssuer } from './cluster-discovery.ts';
import { KeySet } from './key-set.ts';
import { PolledKeys } from './polled-keys.ts';
import { subjectsFile } from './subjects-file.ts';
import type { TokenKeys } from './token-keys.ts';
import { TokenPrecheck } from './token-precheck.ts';
import { tokenReviewMetrics } from './token-review-metrics.ts';
import { TokenReviewVerifier } from './token-review-verifier.ts';
import type { TokenVerifier } from './token-verifier.ts';

export interface TokenNeeds {
  readonly domain: MeshDomain;
  readonly clock: Clock;
  readonly log: Log;
  readonly health: Health;
  readonly signal: AbortSignal;
}

type TokenConfig = ValuesOf<typeof identitySettings>;

/** What verification by the API server needs beside the rest. */
export interface ReviewNeeds {
  readonly client: KubeClient & PathReader;
  readonly metrics: Metrics;
}

/** The verifier by published keys; they and the table of subjects are followed until the signal is aborted. */
export async function createJwksVerifier(config: TokenConfig, needs: TokenNeeds): Promise<TokenVerifier> {
  const { domain, clock, log, health, signal } = needs;
  const subjects = subjectsFile(config.tokenSubjectsFile ?? '', domain, clock, log);
  health.follow('token-subjects', subjects);
  await subjects.start(signal);
  const keys = await tokenKeys(config, needs);
  health.follow('token-keys', keys);
  return new JwksVerifier({
    keys,
    subjects: subjects.current,
    issuer: config.tokenIssuer ?? '',
    audience: config.tokenAudience,
    skewMs: config.clockSkewAllowance,
    clock,
  });
}

/** The verifier by the API server, behind what its published keys can refuse; none of that is waited for. */
export function createReviewVerifier(config: TokenConfig, needs: TokenNeeds & ReviewNeeds): TokenVerifier {
  const { clock, health, client, log, signal } = needs;
  const { tokenIssuer: issuer, tokenAudience: audience, clockSkewAllowance: skewMs } = config;
  const publishedIssuer = new PublishedIssuer({ client, clock, log });
  if (issuer === undefined) void publishedIssuer.run(signal);
  const keys = reviewKeys(config, needs);
  keys.problem.subscribe((problem) => health.degraded('token-keys', problem));
  const precheck = new TokenPrecheck({
    ...{ keys, issuer, publishedIssuer: publishedIssuer.current, audience, skewMs, clock },
  });
  return new TokenReviewVerifier({
    ...{ client, precheck, audience, clock },
    metrics: tokenReviewMetrics(needs.metrics),
  });
}

/** From where the settings say, else from the API server. */
function reviewKeys(config: TokenConfig, needs: TokenNeeds & ReviewNeeds): TokenKeys {
  const { clock, log, client, signal } = needs;
  if (config.tokenJwksFile !== undefined) return keysInFile(config.tokenJwksFile, needs).keys;
  const { tokenJwksUrl } = config;
  const document = tokenJwksUrl === undefined ? keysOfCluster(client) : keysAtUrl(tokenJwksUrl, clock);
  const keys = new PolledKeys({ document, clock, log }, signal);
  void keys.start();
  return keys;
}

/** From the URL or the file: the settings were checked to name exactly one. */
async function tokenKeys(config: TokenConfig, needs: TokenNeeds): Promise<TokenKeys> {
  const { tokenJwksUrl, tokenJwksFile: path = '' } = config;
  const { clock, log, signal } = needs;
  if (tokenJwksUrl === undefined) {
    const { keys, started } = keysInFile(path, needs);
    await started;
    return keys;
  }
  const keys = new PolledKeys({ document: keysAtUrl(tokenJwksUrl, clock), clock, log }, signal);
  await keys.start();
  return keys;
}

function keysInFile(
  path: string,
  { clock, log, signal }: TokenNeeds,
): { keys: TokenKeys; started: Promise<void> } {
  const file = new FileSource({ what: 'token keys', path, parse: (text) => KeySet.parse(text), clock, log });
  return { keys: tokenKeysInFile(file), started: file.start(signal) };
}
