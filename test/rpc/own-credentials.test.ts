import { Csr } from '../../src/pki/csr.ts';
import { rpcErrors } from '../../src/rpc/errors.ts';
import { identityService } from '../../src/rpc/identity-api.ts';
import { keepCredentials } from '../../src/rpc/own-credentials.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { Readiness } from '../../src/runtime/readiness.ts';
import { eventually } from '../support/eventually.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { clientIdentity as identity, serverIdentity, startServer } from '../support/rpc-server.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { TestCa } from '../support/test-ca.ts';

const HOUR = 3_600_000;

/** An identity service that signs for an hour while it is not `away`, and a process that is certified by it. */
async function start(away: boolean) {
  const ca = TestCa.create();
  // Certificates hold whole seconds.
  const clock = new ManualClock(new Date(Math.floor(Date.now() / 1000) * 1000));
  const state = { away };
  const certify = identityService({
    certify: async ({ certificateSigningRequest }) => {
      if (state.away) throw rpcErrors.error('rpc_unavailable', 'the CA is away');
      const publicKey = Csr.parse(certificateSigningRequest).publicKey.keyObject;
      const notAfter = new Date(clock.now().getTime() + HOUR);
      const { certificate } = ca.leaf({ identity, keyPair: { publicKey, privateKey: ca.key }, notAfter });
      return Promise.resolve({
        leafCertificate: certificate.der,
        intermediateCertificates: [],
        validUntil: notAfter,
      });
    },
  });
  const server = await startServer([certify], { ca });
  const directory = new TemporaryDirectory();
  directory.write({ token: 'a token' });
  const readiness = new Readiness();
  const end = new AbortController();
  const { address } = server;
  const own = keepCredentials(
    {
      identity,
      tokenFile: directory.file('token'),
      identityService: { address, serverName: serverIdentity.dnsName, reconnect: { minMs: 20, maxMs: 50 } },
      anchors: ca.bundle,
      minRefreshMs: 1000,
      maxRefreshMs: 24 * HOUR,
      attemptTimeoutMs: 10_000,
    },
    { log: new LogCapture(), metrics: new Metrics(), readiness, clock },
    end.signal,
  );
  return {
    own,
    clock,
    state,
    readiness,
    async [Symbol.asyncDispose]() {
      end.abort();
      await server[Symbol.asyncDispose]();
      directory[Symbol.dispose]();
    },
  };
}

describe('the credentials of a process', () => {
  it('close its readiness until the first certificate, with the reason why there is none', async () => {
    await using run = await start(true);
    await eventually(() =>
      expect(run.readiness.report()).toBe(
        'not ready\nwaiting: first-certificate: none yet: the CA is away\n',
      ),
    );
    run.state.away = false;
    await eventually(async () => {
      await run.clock.advance(1000);
      expect(run.readiness.report()).toBe('ready\n');
    });
  });

  it('degrade it while they are not renewed, and never close it again', async () => {
    await using run = await start(false);
    await eventually(() => expect(run.readiness.report()).toBe('ready\n'));
    const until = run.own.credentials.value!.leaf.notAfter.toISOString();
    run.state.away = true;
    await run.clock.advance(0.8 * HOUR);
    await eventually(() =>
      expect(run.readiness.report()).toContain(
        `ready\ndegraded: certificate: not renewed, good until ${until}: `,
      ),
    );
    run.state.away = false;
    await eventually(async () => {
      await run.clock.advance(1000);
      expect(run.readiness.report()).toBe('ready\n');
    });
  });
});
