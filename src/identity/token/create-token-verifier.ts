import type { MeshDomain } from '../../pki/workload-identity.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ValuesOf } from '../../runtime/env.ts';
import type { Log } from '../../runtime/log.ts';
import { FileSource } from '../file-source.ts';
import type { Health } from '../health.ts';
import type { identitySettings } from '../settings.ts';
import { tokenKeysInFile } from './jwks-file.ts';
import { keysAtUrl } from './jwks-url.ts';
import { JwksVerifier } from './jwks-verifier.ts';
import { KeySet } from './key-set.ts';
import { PolledKeys } from './polled-keys.ts';
import { subjectsFile } from './subjects-file.ts';
import type { TokenKeys } from './token-keys.ts';
import type { TokenVerifier } from './token-verifier.ts';

export interface TokenNeeds {
  readonly domain: MeshDomain;
  readonly clock: Clock;
  readonly log: Log;
  readonly health: Health;
  readonly signal: AbortSignal;
}

type TokenConfig = ValuesOf<typeof identitySettings>;

/** The configured verifier; its keys and its table of subjects are followed until the signal is aborted. */
export async function createTokenVerifier(config: TokenConfig, needs: TokenNeeds): Promise<TokenVerifier> {
  const { domain, clock, log, health, signal } = needs;
  const subjects = subjectsFile(config.tokenSubjectsFile, domain, clock, log);
  health.follow('token-subjects', subjects);
  await subjects.start(signal);
  const keys = await tokenKeys(config, needs);
  health.follow('token-keys', keys);
  return new JwksVerifier({
    keys,
    subjects: subjects.current,
    issuer: config.tokenIssuer,
    audience: config.tokenAudience,
    skewMs: config.clockSkewAllowance,
    clock,
  });
}

/** From the URL or the file: the settings were checked to name exactly one. */
async function tokenKeys(config: TokenConfig, { clock, log, signal }: TokenNeeds): Promise<TokenKeys> {
  const { tokenJwksUrl, tokenJwksFile: path = '' } = config;
  if (tokenJwksUrl !== undefined) {
    const keys = new PolledKeys({ document: keysAtUrl(tokenJwksUrl, clock), clock, log }, signal);
    await keys.start();
    return keys;
  }
  const file = new FileSource({ what: 'token keys', path, parse: (text) => KeySet.parse(text), clock, log });
  await file.start(signal);
  return tokenKeysInFile(file);
}
