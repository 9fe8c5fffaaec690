import { createIssuer, checkIssuerConfig } from '../../src/issuers/create-issuer.ts';
import { issuerSettings } from '../../src/issuers/settings.ts';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import type { TrustBundle } from '../../src/pki/trust-bundle.ts';
import { readEnvironment } from '../../src/runtime/env.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { refusalOf } from '../support/refusal.ts';
import { serverIdentity } from '../support/rpc-server.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { TestCa } from '../support/test-ca.ts';
import { now, request } from './support/issue-request.ts';

const root = TestCa.create();
const ca = root.intermediate();
const signal = new AbortController().signal;

describe('createIssuer', () => {
  it('makes the local issuer of a directory, with the checks around it', async () => {
    using directory = new TemporaryDirectory();
    directory.write({ 'tls.crt': ca.certificate.pem, 'tls.key': encodePrivateKey(ca.key) });
    const env = { KEDGE_ISSUER_LOCAL_DIR: directory.path };
    const config = readEnvironment(issuerSettings, env, checkIssuerConfig);
    const anchors = new LatestValue<TrustBundle | undefined>(root.bundle);
    const metrics = new Metrics();
    const ended = new AbortController();
    const issuer = await createIssuer(config, {
      ...{ anchors, identity: serverIdentity, clock: new ManualClock(now), log: new LogCapture(), metrics },
      signal: ended.signal,
    });
    ended.abort();
    expect((await issuer.issue(request, signal)).intermediates.map(({ label }) => label)).toEqual([
      ca.certificate.label,
    ]);
    const seconds = (ca.certificate.notAfter.getTime() - now.getTime()) / 1000;
    expect(await metrics.text()).toContain(`issuer_cert_ttl_seconds ${seconds}\n`);
    anchors.set(TestCa.create().bundle);
    expect(await refusalOf(issuer.issue(request, signal))).toContain('breaks the rule "chain"');
  });

  it.each([
    [
      'local',
      'KEDGE_ISSUER_FALLBACKS: expected none, as the CA does not sign each certificate itself, got vault',
      'vault',
    ],
    [
      'vault',
      'KEDGE_ISSUER_FALLBACKS: expected each issuer once, and not that of KEDGE_ISSUER, got vault',
      'vault',
    ],
    [
      'vault',
      'KEDGE_ISSUER_LOCAL_DIR: expected the directory of the CA key pair, as KEDGE_ISSUER_FALLBACKS has "local", got nothing',
      'local',
    ],
  ])('refuses with the issuer %s what makes no fallback: %s', (issuer, problem, fallbacks) => {
    const env = { KEDGE_ISSUER: issuer, KEDGE_ISSUER_FALLBACKS: fallbacks };
    expect(() => readEnvironment(issuerSettings, env, checkIssuerConfig)).toThrow(problem);
  });

  it('shows no life of an issuer that is not there', async () => {
    using directory = new TemporaryDirectory();
    const config = readEnvironment(issuerSettings, { KEDGE_ISSUER_LOCAL_DIR: directory.path });
    const metrics = new Metrics();
    const ended = new AbortController();
    const issuer = await createIssuer(config, {
      ...{
        anchors: new LatestValue<TrustBundle | undefined>(root.bundle),
        identity: serverIdentity,
        metrics,
      },
      ...{ clock: new ManualClock(now), log: new LogCapture(), signal: ended.signal },
    });
    ended.abort();
    expect(issuer.state.value).toMatchObject({ state: 'unavailable' });
    expect(await metrics.text()).toContain('issuer_cert_ttl_seconds 0\n');
  });
});
