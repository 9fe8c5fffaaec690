import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { freePorts } from '../../src/cli/demo/free-ports.ts';
import { TokenIssuer } from '../../src/cli/demo/token-issuer.ts';
import { createCsr } from '../../src/pki/csr.ts';
import { generateKeyPair } from '../../src/pki/keys.ts';
import { field, fields } from '../support/protobuf-bytes.ts';

const source = path.join(import.meta.dirname, '..', '..', 'src');
const openssl = spawnSync('openssl', ['version']).status === 0;
const withOpenssl = openssl ? it : it.skip;
const why = openssl ? '' : ' (skipped: install openssl)';
const suffix = 'serviceaccount.identity.kedge.cluster.local';
const web = `web.shop.${suffix}`;
const identityName = `kedge-identity.kedge.${suffix}`;

/** The real processes, started from files as an operator would, and clients that know nothing of Kedge's code. */
class Installation {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'kedge-outside-'));
  readonly tokens = new TokenIssuer();
  readonly #children: ChildProcess[] = [];

  path(name: string): string {
    return path.join(this.directory, name);
  }

  token(): string {
    return this.tokens.issue(
      { subject: 'vm-1', audience: 'identity.l5d.io', validForSeconds: 300 },
      new Date(),
    );
  }

  /** Starts a process and waits for its admin port to say that it is ready. */
  async start(program: string, adminPort: number, settings: Record<string, string>): Promise<void> {
    const child = spawn(process.execPath, [path.join(source, program, 'main.ts')], {
      env: settings,
      stdio: 'ignore',
    });
    this.#children.push(child);
    while ((await status(adminPort)) !== 200) {
      if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#children.map(
        (child) =>
          new Promise((resolve) => {
            child.once('exit', resolve);
            child.kill('SIGTERM');
            if (child.exitCode !== null) resolve(undefined);
          }),
      ),
    );
    rmSync(this.directory, { recursive: true });
  }
}

let installation: Installation;
let ports: { identity: number; identityAdmin: number; proxyAdmin: number; inbound: number; outbound: number };

beforeAll(async () => {
  installation = new Installation();
  const [identity = 0, identityAdmin = 0, proxyAdmin = 0, inbound = 0, outbound = 0] = await freePorts(5);
  ports = { identity, identityAdmin, proxyAdmin, inbound, outbound };
  execFileSync(process.execPath, [path.join(source, 'cli', 'main.ts'), 'bootstrap', installation.path('ca')]);
  writeFileSync(installation.path('jwks.json'), installation.tokens.jwks);
  writeFileSync(installation.path('subjects.json'), '{"vm-1": "shop/web"}');
  writeFileSync(installation.path('token'), installation.token());
  await installation.start('identity', identityAdmin, {
    KEDGE_IDENTITY_LISTEN_ADDR: `127.0.0.1:${identity}`,
    KEDGE_ADMIN_LISTEN_ADDR: `127.0.0.1:${identityAdmin}`,
    KEDGE_TRUST_ANCHORS_FILE: installation.path('ca/ca-bundle.crt'),
    KEDGE_ISSUER_LOCAL_DIR: installation.path('ca/issuer'),
    KEDGE_TOKEN_ISSUER: installation.tokens.url,
    KEDGE_TOKEN_JWKS_FILE: installation.path('jwks.json'),
    KEDGE_TOKEN_SUBJECTS_FILE: installation.path('subjects.json'),
  });
  await installation.start('proxy', proxyAdmin, {
    LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS: readFileSync(installation.path('ca/ca-bundle.crt'), 'utf8'),
    LINKERD2_PROXY_IDENTITY_LOCAL_NAME: web,
    LINKERD2_PROXY_IDENTITY_TOKEN_FILE: installation.path('token'),
    LINKERD2_PROXY_IDENTITY_SVC_ADDR: `127.0.0.1:${identity}`,
    LINKERD2_PROXY_IDENTITY_SVC_NAME: identityName,
    // Nothing listens there: a proxy shows its certificate and is ready without destination.
    LINKERD2_PROXY_DESTINATION_SVC_ADDR: '127.0.0.1:1',
    LINKERD2_PROXY_DESTINATION_SVC_NAME: identityName,
    LINKERD2_PROXY_POLICY_SVC_ADDR: '127.0.0.1:1',
    LINKERD2_PROXY_POLICY_SVC_NAME: identityName,
    LINKERD2_PROXY_POLICY_WORKLOAD: '{"ns":"shop","pod":"web-0"}',
    LINKERD2_PROXY_ADMIN_LISTEN_ADDR: `127.0.0.1:${proxyAdmin}`,
    LINKERD2_PROXY_INBOUND_LISTEN_ADDR: `127.0.0.1:${inbound}`,
    LINKERD2_PROXY_OUTBOUND_LISTEN_ADDR: `127.0.0.1:${outbound}`,
  });
});

afterAll(() => installation[Symbol.asyncDispose](), 30_000);

describe('a client that knows only the field numbers of the contract', () => {
  it('gets a certificate over HTTP/2 without ALPN, and its chain verifies to the anchor', async () => {
    const { privateKey, publicKey } = generateKeyPair();
    const csr = createCsr({ key: privateKey, dnsName: web });
    const answer = await certify([field(1, web), field(2, `${installation.token()}\n`), field(3, csr)]);
    expect(answer.status).toBe('0');
    const message = fields(answer.message);
    const [leaf] = message
      .filter(({ number }) => number === 1)
      .map(({ value }) => new X509Certificate(value as Buffer));
    const [issuer] = message
      .filter(({ number }) => number === 2)
      .map(({ value }) => new X509Certificate(value as Buffer));
    const anchor = new X509Certificate(readFileSync(installation.path('ca/ca-bundle.crt')));
    expect(leaf?.subjectAltName).toBe(`DNS:${web}, URI:spiffe://cluster.local/ns/shop/sa/web`);
    expect(leaf?.publicKey.equals(publicKey)).toBe(true);
    expect(leaf?.verify(issuer!.publicKey)).toBe(true);
    expect(issuer?.verify(anchor.publicKey)).toBe(true);
    const validUntil = fields(message.find(({ number }) => number === 3)?.value as Buffer);
    expect(Number(validUntil.find(({ number }) => number === 1)?.value)).toBe(
      Date.parse(leaf!.validTo) / 1000,
    );
  });

  it('is refused with FAILED_PRECONDITION and a reason when the token is signed by a stranger', async () => {
    const csr = createCsr({ key: generateKeyPair().privateKey, dnsName: web });
    const stranger = new TokenIssuer().issue(
      { subject: 'vm-1', audience: 'identity.l5d.io', validForSeconds: 300 },
      new Date(),
    );
    const answer = await certify([field(1, web), field(2, stranger), field(3, csr)]);
    expect(answer.status).toBe('9');
    expect(answer.reason).toMatch(/signature/i);
    expect(answer.reason).not.toContain(stranger.split('.')[1]!);
  });

  withOpenssl(
    `gets a certificate for a CSR that openssl made, and openssl verifies the chain${why}`,
    async () => {
      const csr = path.join(installation.directory, 'outside.csr');
      const words = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/'];
      const files = ['-keyout', installation.path('outside.key'), '-outform', 'DER', '-out', csr];
      execFileSync('openssl', ['req', '-new', ...words, '-addext', `subjectAltName=DNS:${web}`, ...files], {
        stdio: 'pipe',
      });
      const answer = await certify([
        field(1, web),
        field(2, installation.token()),
        field(3, readFileSync(csr)),
      ]);
      expect(answer.status).toBe('0');
      const pem = (number: number): string =>
        fields(answer.message)
          .filter((one) => one.number === number)
          .map(({ value }) => new X509Certificate(value as Buffer).toString())
          .join('');
      writeFileSync(installation.path('leaf.pem'), pem(1));
      writeFileSync(installation.path('intermediates.pem'), pem(2));
      const chain = [
        '-CAfile',
        installation.path('ca/ca-bundle.crt'),
        '-untrusted',
        installation.path('intermediates.pem'),
      ];
      const verdict = execFileSync('openssl', [
        'verify',
        '-x509_strict',
        ...chain,
        installation.path('leaf.pem'),
      ]);
      expect(verdict.toString()).toContain('leaf.pem: OK');
    },
  );
});

describe('docs/metrics.md', () => {
  const documented = readFileSync(path.join(source, '..', 'docs', 'metrics.md'), 'utf8');

  it.each(['identityAdmin', 'proxyAdmin'] as const)(
    'lists every metric that is shown at %s',
    async (admin) => {
      const text = await (await fetch(`http://127.0.0.1:${ports[admin]}/metrics`)).text();
      const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
      expect(names.length).toBeGreaterThan(10);
      expect(names.filter((name) => !documented.includes(`\`${name}\``))).toEqual([]);
    },
  );
});

describe('a running proxy', () => {
  it('shows its chain under its own name on the admin port', async () => {
    const leaf = await new Promise<X509Certificate>((resolve, reject) => {
      const socket = tls.connect(
        {
          port: ports.proxyAdmin,
          host: '127.0.0.1',
          servername: web,
          ca: readFileSync(installation.path('ca/ca-bundle.crt')),
        },
        () => {
          resolve(socket.getPeerX509Certificate()!);
          socket.destroy();
        },
      );
      socket.on('error', reject);
    });
    expect(leaf.subjectAltName).toContain(`DNS:${web}`);
  });

  withOpenssl(`shows it to openssl s_client, which verifies it to the anchor${why}`, () => {
    const run = spawnSync(
      'openssl',
      [
        's_client',
        '-connect',
        `127.0.0.1:${ports.proxyAdmin}`,
        '-servername',
        web,
        '-CAfile',
        installation.path('ca/ca-bundle.crt'),
        '-verify_hostname',
        web,
        '-verify_return_error',
      ],
      { input: '', encoding: 'utf8' },
    );
    expect(run.stdout).toContain('Verify return code: 0 (ok)');
    expect(run.stdout).toContain('TLSv1.3');
  });
});

interface Answer {
  status: string | undefined;
  reason: string;
  message: Buffer;
}

/** One gRPC call by hand: TLS without ALPN, HTTP/2 with prior knowledge, one framed message each way. */
function certify(request: Buffer[]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ca = readFileSync(installation.path('ca/ca-bundle.crt'));
    const socket = tls.connect(
      { port: ports.identity, host: '127.0.0.1', servername: identityName, ca },
      () => {
        expect(socket.alpnProtocol).toBe(false);
        // Node's client wants to have seen h2 negotiated; the server has not.
        socket.alpnProtocol = 'h2';
        const session = http2.connect('https://identity', { createConnection: () => socket });
        session.on('error', reject);
        const stream = session.request({
          ':method': 'POST',
          ':path': '/io.linkerd.proxy.identity.Identity/Certify',
          'content-type': 'application/grpc',
          te: 'trailers',
        });
        const parts: Buffer[] = [];
        let last: http2.IncomingHttpHeaders = {};
        stream.on('response', (headers) => (last = headers));
        stream.on('trailers', (trailers) => (last = trailers));
        stream.on('data', (part: Buffer) => parts.push(part));
        stream.on('error', reject);
        stream.on('end', () => {
          session.close();
          const { 'grpc-status': status, 'grpc-message': reason } = last as Record<
            string,
            string | undefined
          >;
          resolve({
            status,
            reason: decodeURIComponent(reason ?? ''),
            message: Buffer.concat(parts).subarray(5),
          });
        });
        const message = Buffer.concat(request);
        const frame = Buffer.alloc(5);
        frame.writeUInt32BE(message.length, 1);
        stream.end(Buffer.concat([frame, message]));
      },
    );
    socket.on('error', reject);
  });
}

function status(port: number): Promise<number> {
  return new Promise((resolve) => {
    http
      .get({ host: '127.0.0.1', port, path: '/ready', agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
      .on('error', () => resolve(0));
  });
}
