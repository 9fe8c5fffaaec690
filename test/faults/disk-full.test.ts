import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import { listen } from '../../src/runtime/listen.ts';
import type { SocketAddress } from '../../src/runtime/socket-address.ts';
import { formatSocketAddress } from '../../src/runtime/socket-address.ts';
import { eventually } from '../support/eventually.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { TestCa } from '../support/test-ca.ts';
import { TokenIssuer } from '../support/token-issuer.ts';
import { sample } from './support/scrape.ts';
import { itWithSmallDisk } from './support/small-disk.ts';

const sources = join(import.meta.dirname, '..', '..', 'src');

/** An identity service in a process of its own, whose log goes to a file. */
class Identity implements AsyncDisposable {
  readonly #files = new TemporaryDirectory();
  readonly #child;
  readonly #exited: Promise<unknown[]>;
  readonly #admin: SocketAddress;
  #changes = 0;

  private constructor(logFile: string, admin: SocketAddress) {
    this.#admin = admin;
    const root = TestCa.create();
    const ca = root.intermediate();
    const tokens = new TokenIssuer();
    this.#files.write({
      'anchors.pem': root.bundle.pem,
      'tls.crt': ca.certificate.pem,
      'tls.key': encodePrivateKey(ca.key),
      'jwks.json': tokens.jwks,
      'subjects.json': '{}',
    });
    const log = openSync(logFile, 'a');
    this.#child = spawn(process.execPath, [join(sources, 'identity', 'main.ts')], {
      stdio: ['ignore', log, 'inherit'],
      env: {
        KEDGE_IDENTITY_LISTEN_ADDR: '127.0.0.1:0',
        KEDGE_ADMIN_LISTEN_ADDR: formatSocketAddress(admin),
        KEDGE_TRUST_ANCHORS_FILE: this.#files.file('anchors.pem'),
        KEDGE_ISSUER_LOCAL_DIR: this.#files.path,
        KEDGE_TOKEN_ISSUER: tokens.issuer,
        KEDGE_TOKEN_JWKS_FILE: this.#files.file('jwks.json'),
        KEDGE_TOKEN_SUBJECTS_FILE: this.#files.file('subjects.json'),
      },
    });
    closeSync(log);
    this.#exited = once(this.#child, 'exit');
  }

  static async start(logFile: string): Promise<Identity> {
    const finder = createServer();
    const free = await listen(finder, { host: '127.0.0.1', port: 0 });
    await new Promise((resolve) => finder.close(resolve));
    const identity = new Identity(logFile, free);
    // A busy machine may take longer to start it than anything else is waited for; the limit of the test is enough.
    while (!(await identity.get('ready').catch(() => '')).startsWith('ready\n')) await pause(20);
    return identity;
  }

  async get(page: string): Promise<string> {
    return (await fetch(`http://${formatSocketAddress(this.#admin)}/${page}`)).text();
  }

  /** Has it write records: a file that it reads anew, because it says something else each time. */
  makeItTell(): void {
    this.#files.write({ 'subjects.json': `{ "changed-${this.#changes++}": "shop/web" }` });
  }

  async lost(): Promise<number> {
    return sample(await this.get('metrics'), 'kedge_log_lost_records_total');
  }

  async end(): Promise<unknown> {
    this.#child.kill('SIGTERM');
    return (await this.#exited)[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
    this.#files[Symbol.dispose]();
  }
}

const degraded = 'degraded: log: standard output takes no records (ENOSPC)\n';

describe('a full disk behind the log', () => {
  it('keeps no service from starting, serving and ending; readiness and metrics tell of it', async () => {
    await using identity = await Identity.start('/dev/full');
    expect(await identity.get('ready')).toBe(`ready\n${degraded}`);
    expect(await identity.lost()).toBeGreaterThan(0);
    expect(await identity.end()).toBe(0);
  });

  itWithSmallDisk(
    64 * 1024,
    'costs records, which are counted; none is cut, and the next one tells',
    async (disk) => {
      await using identity = await Identity.start(disk.file('log'));
      expect(await identity.get('ready')).toBe('ready\n');
      disk.fill();
      await eventually(async () => {
        identity.makeItTell();
        expect(await identity.lost()).toBeGreaterThan(0);
      });
      expect(await identity.get('ready')).toBe(`ready\n${degraded}`);

      disk.empty();
      await eventually(async () => {
        identity.makeItTell();
        expect(await identity.get('ready')).toBe('ready\n');
      });
      const lost = await identity.lost();
      const records = readFileSync(disk.file('log'), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(records.filter(({ message }) => message === 'log records were lost')).toMatchObject([{ lost }]);
    },
  );
});

describe('a full disk under kedge bootstrap', () => {
  const bootstrap = (directory: string) =>
    spawnSync(process.execPath, [join(sources, 'cli', 'main.ts'), 'bootstrap', directory], {
      encoding: 'utf8',
    });

  itWithSmallDisk(
    64 * 1024,
    'leaves no file that is half written, and the same command completes it after',
    async (disk) => {
      disk.fill();
      const directory = disk.file('ca');
      const failed = bootstrap(directory);
      expect(failed.status).toBe(1);
      expect(failed.stderr).toMatch(/expected to write .*, got ENOSPC/);
      expect(
        readdirSync(disk.file(), { recursive: true }).filter((name) => /\.(new|key|crt)/.test(String(name))),
      ).toEqual([]);

      disk.empty();
      expect(bootstrap(directory).status).toBe(0);
      expect(readdirSync(directory).toSorted()).toEqual(['anchor', 'ca-bundle.crt', 'issuer']);
      await Promise.resolve();
    },
  );
});
