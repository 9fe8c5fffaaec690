import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { BootstrapOptions, BootstrapResult } from '../../../src/cli/bootstrap/bootstrap.ts';
import { bootstrap } from '../../../src/cli/bootstrap/bootstrap.ts';
import { Certificate } from '../../../src/pki/certificate.ts';
import { encodePrivateKey, keyMatches, parsePrivateKey } from '../../../src/pki/keys.ts';
import { verifyChain } from '../../../src/pki/verify-chain.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { TestCa } from '../../support/test-ca.ts';

const DAY = 86_400_000;
const YEAR = 365 * DAY;

/** In the order in which they are written. */
const FILES = [
  'anchor/tls.key',
  'anchor/tls.crt',
  'issuer/tls.key',
  'issuer/tls.crt',
  'issuer/ca.crt',
  'ca-bundle.crt',
] as const;
type File = (typeof FILES)[number];

/** A place for one CA directory, gone at the end of the block. */
class Place {
  readonly #parent = fs.mkdtempSync(path.join(tmpdir(), 'kedge-bootstrap-'));
  readonly directory = path.join(this.#parent, 'ca');
  readonly clock = new ManualClock(new Date());

  bootstrap(options: Partial<BootstrapOptions> = {}): Promise<BootstrapResult> {
    return bootstrap({
      directory: this.directory,
      trustDomain: 'cluster.local',
      controlNamespace: 'kedge',
      clock: this.clock,
      ...options,
    });
  }

  path(file: string): string {
    return path.join(this.directory, file);
  }

  read(file: File): string {
    return fs.readFileSync(this.path(file), 'utf8');
  }

  certificate(file: File): Certificate {
    const [certificate] = Certificate.parsePem(this.read(file));
    return certificate!;
  }

  /** Everything under the directory: names, modes, contents. */
  snapshot(): Record<string, string> {
    const names = fs.readdirSync(this.directory, { recursive: true, encoding: 'utf8' }).toSorted();
    return Object.fromEntries(
      names.map((name) => {
        const file = this.path(name);
        const { mode, mtimeMs } = fs.statSync(file);
        const content = fs.statSync(file).isFile() ? fs.readFileSync(file, 'utf8') : '';
        return [name, `${mode.toString(8)} ${mtimeMs} ${content}`];
      }),
    );
  }

  /** Writes a file outside the directory, as something that the user has already. */
  outside(name: string, content: string): string {
    const file = path.join(this.#parent, name);
    fs.writeFileSync(file, content);
    return file;
  }

  /** Moves a file or directory out, as an owner does who takes it offline. */
  moveAway(name: string): string {
    const target = path.join(this.#parent, name.replaceAll('/', '-'));
    fs.renameSync(this.path(name), target);
    return target;
  }

  given(ca: TestCa): { anchorCertificateFile: string; anchorKeyFile: string } {
    return {
      anchorCertificateFile: this.outside('given.crt', ca.certificate.pem),
      anchorKeyFile: this.outside('given.key', encodePrivateKey(ca.key)),
    };
  }

  /** Expects a refusal that leaves everything as it was. */
  async refuses(code: string, message: string, options: Partial<BootstrapOptions> = {}): Promise<void> {
    const before = fs.existsSync(this.directory) ? this.snapshot() : undefined;
    await expect(this.bootstrap(options)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
    expect(fs.existsSync(this.directory) ? this.snapshot() : undefined).toEqual(before);
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.#parent, { recursive: true });
  }
}

describe('bootstrap of an empty place', () => {
  it('makes an anchor of ten years and an issuer of one, named after the mesh', async () => {
    using place = new Place();
    const { made } = await place.bootstrap({ trustDomain: 'example.org', controlNamespace: 'mesh' });
    expect(made).toEqual(FILES.map((file) => place.path(file)));
    const now = place.clock.now().getTime();
    const anchor = place.certificate('anchor/tls.crt');
    const issuer = place.certificate('issuer/tls.crt');
    expect(anchor.subject).toBe('CN=root.mesh.example.org');
    expect(issuer.subject).toBe('CN=identity.mesh.example.org');
    expect(Math.abs(anchor.notAfter.getTime() - now - 10 * YEAR)).toBeLessThan(DAY);
    expect(Math.abs(issuer.notAfter.getTime() - now - YEAR)).toBeLessThan(DAY);
    expect(issuer.notBefore.getTime()).toBeLessThan(now);
  });

  it('makes an issuer that may sign workloads but no further CA', async () => {
    using place = new Place();
    const { issuer, bundle } = await place.bootstrap();
    expect(issuer.certificate).toMatchObject({ isCa: true, pathLength: 0 });
    expect([...(issuer.certificate.keyUsage ?? [])]).toContain('keyCertSign');
    const path = verifyChain({
      leaf: place.certificate('issuer/tls.crt'),
      intermediates: [],
      bundle,
      at: new Date(),
      usage: 'ca',
    });
    expect(path.map(({ subject }) => subject)).toEqual([
      'CN=identity.kedge.cluster.local',
      'CN=root.kedge.cluster.local',
    ]);
  });

  it('writes matching keys, the anchor alone as ca.crt and bundle, and nothing else', async () => {
    using place = new Place();
    await place.bootstrap();
    for (const pair of ['anchor', 'issuer'] as const) {
      const key = parsePrivateKey(place.read(`${pair}/tls.key`));
      expect(keyMatches(place.certificate(`${pair}/tls.crt`), key)).toBe(true);
    }
    expect(place.read('ca-bundle.crt')).toBe(place.read('anchor/tls.crt'));
    expect(place.read('issuer/ca.crt')).toBe(place.read('anchor/tls.crt'));
    expect(Object.keys(place.snapshot())).toEqual([...FILES, 'anchor', 'issuer'].toSorted());
  });

  it.each([0o000, 0o022, 0o077])('sets the modes itself under the umask %o', async (umask) => {
    using place = new Place();
    const before = process.umask(umask);
    try {
      await place.bootstrap();
    } finally {
      process.umask(before);
    }
    const mode = (file: string): number => fs.statSync(place.path(file)).mode & 0o777;
    expect(['', 'anchor', 'issuer'].map(mode)).toEqual([0o700, 0o700, 0o700]);
    expect(['anchor/tls.key', 'issuer/tls.key'].map(mode)).toEqual([0o600, 0o600]);
    expect(['anchor/tls.crt', 'issuer/tls.crt', 'issuer/ca.crt', 'ca-bundle.crt'].map(mode)).toEqual([
      0o644, 0o644, 0o644, 0o644,
    ]);
  });

  it('takes the lifetimes it is given, and ends the issuer with its anchor at the latest', async () => {
    using place = new Place();
    const { anchor, issuer } = await place.bootstrap({
      anchorLifetimeMs: 2 * DAY,
      issuerLifetimeMs: 5 * DAY,
    });
    expect(issuer.certificate.notAfter).toEqual(anchor.certificate.notAfter);
    using other = new Place();
    const seconds = await other.bootstrap({ issuerLifetimeMs: 20_000 });
    const left = seconds.issuer.certificate.notAfter.getTime() - other.clock.now().getTime();
    expect(left).toBeGreaterThan(18_000);
    expect(left).toBeLessThanOrEqual(20_000);
  });

  it('cuts a common name that would be too long for a certificate', async () => {
    using place = new Place();
    const trustDomain = `${'a'.repeat(40)}.${'b'.repeat(40)}.example`;
    const { anchor } = await place.bootstrap({ trustDomain });
    expect(anchor.certificate.subject).toBe(`CN=root.kedge.${'a'.repeat(40)}.${'b'.repeat(12)}`);
  });

  it('refuses names that no mesh can have, before it makes anything', async () => {
    using place = new Place();
    await place.refuses('identity_malformed', 'expected the trust domain', { trustDomain: 'Not_A_Name' });
    expect(fs.existsSync(place.directory)).toBe(false);
  });
});

describe('bootstrap of a place where something is', () => {
  it('changes nothing the second time and says so', async () => {
    using place = new Place();
    const first = await place.bootstrap();
    const before = place.snapshot();
    const second = await place.bootstrap();
    expect(second.made).toEqual([]);
    expect(place.snapshot()).toEqual(before);
    expect(second.anchor.certificate.equals(first.anchor.certificate)).toBe(true);
    expect(second.issuer.certificate.equals(first.issuer.certificate)).toBe(true);
  });

  it.each(FILES.map((_, written) => written))(
    'goes on where it was interrupted after %d of its files',
    async (written) => {
      using place = new Place();
      await place.bootstrap();
      const kept = FILES.slice(0, written).map((file) => [file, place.read(file)] as const);
      for (const file of FILES.slice(written)) fs.rmSync(place.path(file));
      const { made } = await place.bootstrap();
      expect(made).toEqual(FILES.slice(written).map((file) => place.path(file)));
      for (const [file, content] of kept) expect(place.read(file)).toBe(content);
      expect((await place.bootstrap()).made).toEqual([]);
    },
  );

  it('leaves alone a file that a crash left half-written under a temporary name', async () => {
    using place = new Place();
    fs.mkdirSync(path.join(place.directory, 'anchor'), { recursive: true, mode: 0o700 });
    fs.writeFileSync(place.path('anchor/.tls.key.0123456789ab.new'), '-----BEGIN');
    expect((await place.bootstrap()).made).toHaveLength(FILES.length);
  });

  it('makes a new issuer under the same anchor when the old one was moved away', async () => {
    using place = new Place();
    const { issuer } = await place.bootstrap();
    const bundle = place.read('ca-bundle.crt');
    place.moveAway('issuer');
    const again = await place.bootstrap();
    expect(again.issuer.certificate.publicKey.equals(issuer.certificate.publicKey)).toBe(false);
    expect(place.read('ca-bundle.crt')).toBe(bundle);
  });

  it('keeps a bundle with a further anchor, as it is while anchors are exchanged', async () => {
    using place = new Place();
    await place.bootstrap();
    fs.appendFileSync(place.path('ca-bundle.crt'), TestCa.create().certificate.pem);
    const { made, bundle } = await place.bootstrap();
    expect(made).toEqual([]);
    expect(bundle.anchors).toHaveLength(2);
  });

  it('takes an issuer that stands below an intermediate of its own file', async () => {
    using place = new Place();
    const root = TestCa.create();
    const middle = root.intermediate();
    const issuer = middle.intermediate();
    fs.mkdirSync(place.path('issuer'), { recursive: true, mode: 0o700 });
    fs.writeFileSync(place.path('issuer/tls.crt'), issuer.certificate.pem + middle.certificate.pem);
    fs.writeFileSync(place.path('issuer/tls.key'), encodePrivateKey(issuer.key), { mode: 0o600 });
    const { made, issuer: settled } = await place.bootstrap({
      anchorCertificateFile: place.outside('root.crt', root.certificate.pem),
    });
    expect(made).toEqual(['anchor/tls.crt', 'issuer/ca.crt', 'ca-bundle.crt'].map((f) => place.path(f)));
    expect(settled.chain.map(({ subject }) => subject)).toEqual([middle.certificate.subject]);
  });
});

describe('bootstrap with the anchor taken offline', () => {
  it('is content without the anchor key, and without the whole anchor directory', async () => {
    using place = new Place();
    await place.bootstrap();
    place.moveAway('anchor/tls.key');
    expect(await place.bootstrap()).toMatchObject({ made: [], anchorKeyIsThere: false });
    const certificate = place.read('anchor/tls.crt');
    place.moveAway('anchor');
    expect((await place.bootstrap()).made).toEqual([place.path('anchor/tls.crt')]);
    expect(place.read('anchor/tls.crt')).toBe(certificate);
  });

  it('asks for the key when an issuer has to be made', async () => {
    using place = new Place();
    await place.bootstrap();
    place.moveAway('anchor/tls.key');
    place.moveAway('issuer');
    await place.refuses(
      'bootstrap_incomplete',
      `expected the anchor's key at ${place.path('anchor/tls.key')} to make an issuer with, found none`,
    );
  });

  it('uses a key that is named for one run, and does not copy it', async () => {
    using place = new Place();
    const { anchor } = await place.bootstrap();
    const anchorKeyFile = place.moveAway('anchor/tls.key');
    place.moveAway('issuer');
    const again = await place.bootstrap({ anchorKeyFile });
    expect(again.anchorKeyIsThere).toBe(false);
    expect(again.anchor.certificate.equals(anchor.certificate)).toBe(true);
    expect(fs.existsSync(place.path('anchor/tls.key'))).toBe(false);
  });

  it('finds the anchor of a named key in the bundle', async () => {
    using place = new Place();
    await place.bootstrap();
    const anchorKeyFile = path.join(place.moveAway('anchor'), 'tls.key');
    fs.appendFileSync(place.path('ca-bundle.crt'), TestCa.create().certificate.pem);
    place.moveAway('issuer');
    expect((await place.bootstrap({ anchorKeyFile })).made).toContain(place.path('issuer/tls.crt'));
  });
});

describe('bootstrap with an anchor made elsewhere', () => {
  it.each(['P-256', 'P-384', 'RSA', 'Ed25519'] as const)('completes an anchor of %s', async (keyType) => {
    using place = new Place();
    const root = TestCa.create({ keyType, commonName: 'Example Root' });
    const { made, anchor } = await place.bootstrap(place.given(root));
    expect(made).toEqual(FILES.slice(1).map((file) => place.path(file)));
    expect(anchor.certificate.equals(root.certificate)).toBe(true);
    expect(place.certificate('issuer/tls.crt').issuer).toBe('CN=Example Root');
    expect((await place.bootstrap()).made).toEqual([]);
  });

  it('takes an anchor that another CA signed', async () => {
    using place = new Place();
    const { anchor } = await place.bootstrap(place.given(TestCa.create().intermediate()));
    expect(place.read('ca-bundle.crt')).toBe(anchor.certificate.pem);
  });

  it('refuses an anchor that has expired, is not valid yet, or is not a CA', async () => {
    using place = new Place();
    const [hourAgo, tomorrow] = [new Date(Date.now() - 3_600_000), new Date(Date.now() + DAY)];
    const expired = TestCa.create({ notBefore: new Date(Date.now() - DAY), notAfter: hourAgo });
    await place.refuses('bootstrap_unusable', 'which expired at', place.given(expired));
    const early = TestCa.create({ notBefore: tomorrow });
    await place.refuses('bootstrap_unusable', 'which is not valid before', place.given(early));
    await place.refuses(
      'bootstrap_unusable',
      'which is not a CA',
      place.given(TestCa.create({ isCa: false })),
    );
  });

  it('refuses an anchor that cannot stand above an issuer', async () => {
    using place = new Place();
    await place.refuses(
      'bootstrap_unusable',
      'expected the certificates of the issuer CN=identity.kedge.cluster.local to verify',
      place.given(TestCa.create({ pathLength: 0 })),
    );
    await place.refuses(
      'bootstrap_unusable',
      'to verify against',
      place.given(TestCa.create({ permittedDns: ['elsewhere.example'] })),
    );
    await place.refuses(
      'bootstrap_conflict',
      'without the key usage keyCertSign',
      place.given(TestCa.create({ keyUsage: [0] })),
    );
  });

  it('refuses a key that is not the anchor’s, without showing it', async () => {
    using place = new Place();
    const { anchorCertificateFile } = place.given(TestCa.create());
    const anchorKeyFile = place.outside('other.key', encodePrivateKey(TestCa.create().key));
    await place.refuses('bootstrap_conflict', '--anchor-key: expected the private key of CN=', {
      anchorCertificateFile,
      anchorKeyFile,
    });
  });

  it('refuses a key without its certificate, and files that hold something else', async () => {
    using place = new Place();
    const { anchorCertificateFile, anchorKeyFile } = place.given(TestCa.create());
    await place.refuses('bootstrap_incomplete', 'with --anchor-cert, got none', { anchorKeyFile });
    await place.refuses('bootstrap_conflict', 'expected CERTIFICATE blocks', {
      anchorCertificateFile: anchorKeyFile,
    });
    await place.refuses('bootstrap_conflict', 'got a certificate; give the private key', {
      anchorCertificateFile,
      anchorKeyFile: anchorCertificateFile,
    });
    const two = TestCa.create().certificate.pem + TestCa.create().certificate.pem;
    await place.refuses('bootstrap_conflict', 'expected one certificate, got 2', {
      anchorCertificateFile: place.outside('two.crt', two),
    });
    await place.refuses('file_not_found', 'expected a file, found none', {
      anchorCertificateFile: '/nowhere/root.crt',
    });
  });

  it('refuses another anchor than the one that is there', async () => {
    using place = new Place();
    await place.bootstrap();
    const given = place.given(TestCa.create());
    await place.refuses(
      'bootstrap_conflict',
      'expected the certificate that was given, got another one',
      given,
    );
    place.moveAway('anchor');
    await place.refuses('bootstrap_conflict', 'in it, got only others', given);
  });
});

describe('what bootstrap never overwrites', () => {
  it('refuses files that do not fit together', async () => {
    using place = new Place();
    await place.bootstrap();
    const stranger = TestCa.create();
    const put = (file: File, content: string): (() => void) => {
      const before = place.read(file);
      fs.writeFileSync(place.path(file), content);
      return () => fs.writeFileSync(place.path(file), before);
    };
    const wrongs: [file: File, content: string, code: string, message: string][] = [
      ['anchor/tls.crt', stranger.certificate.pem, 'bootstrap_conflict', 'got another key'],
      ['anchor/tls.key', encodePrivateKey(stranger.key), 'bootstrap_conflict', 'got another key'],
      ['issuer/tls.key', encodePrivateKey(stranger.key), 'bootstrap_conflict', 'got another key'],
      ['issuer/tls.crt', stranger.certificate.pem, 'bootstrap_conflict', 'got another key'],
      ['issuer/ca.crt', stranger.certificate.pem, 'bootstrap_unusable', 'to verify against'],
      ['ca-bundle.crt', stranger.certificate.pem, 'bootstrap_conflict', 'got only others'],
      ['ca-bundle.crt', '', 'bootstrap_conflict', 'trust bundle: '],
      ['issuer/tls.key', 'half a ke', 'bootstrap_conflict', 'expected one unencrypted private key'],
      ['issuer/tls.crt', '-----BEGIN CERTIFICATE-----\nMII', 'bootstrap_conflict', 'PEM: expected'],
    ];
    for (const [file, content, code, message] of wrongs) {
      const restore = put(file, content);
      await place.refuses(code, message);
      restore();
    }
    expect((await place.bootstrap()).made).toEqual([]);
  });

  it('refuses an issuer of another anchor', async () => {
    using place = new Place();
    await place.bootstrap();
    const issuer = TestCa.create().intermediate();
    fs.writeFileSync(place.path('issuer/tls.crt'), issuer.certificate.pem);
    fs.writeFileSync(place.path('issuer/tls.key'), encodePrivateKey(issuer.key));
    await place.refuses(
      'bootstrap_unusable',
      `expected the certificates of the issuer ${issuer.certificate.subject}`,
    );
  });

  it('refuses an expired issuer and says how to get a new one', async () => {
    using place = new Place();
    await place.bootstrap({ issuerLifetimeMs: DAY });
    await place.clock.advance(2 * DAY);
    await place.refuses(
      'bootstrap_unusable',
      `move ${place.path('issuer')} away and run the same command again`,
    );
    place.moveAway('issuer');
    expect((await place.bootstrap()).made).toContain(place.path('issuer/tls.crt'));
  });

  it('does not invent an anchor or a key that something else refers to', async () => {
    using place = new Place();
    await place.bootstrap();
    place.moveAway('issuer/tls.key');
    await place.refuses(
      'bootstrap_incomplete',
      `expected the issuer's key at ${place.path('issuer/tls.key')}`,
    );
    for (const gone of ['anchor', 'ca-bundle.crt', 'issuer/ca.crt']) place.moveAway(gone);
    await place.refuses('bootstrap_incomplete', `expected the anchor's certificate at`);
  });

  it('refuses keys that others may read and directories that others may change', async () => {
    using place = new Place();
    await place.bootstrap();
    const chmodded: [name: string, mode: number, usual: number, message: string][] = [
      ['issuer/tls.key', 0o640, 0o600, `expected mode 0600, got 0640: run chmod 600`],
      ['anchor/tls.key', 0o604, 0o600, `expected mode 0600, got 0604`],
      ['anchor', 0o770, 0o700, 'got mode 0770: run chmod go-w'],
      ['', 0o777, 0o700, 'got mode 0777: run chmod go-w'],
    ];
    for (const [name, mode, usual, message] of chmodded) {
      fs.chmodSync(place.path(name), mode);
      await place.refuses('bootstrap_exposed', message);
      fs.chmodSync(place.path(name), usual);
    }
    fs.chmodSync(place.directory, 0o755);
    expect((await place.bootstrap()).made).toEqual([]);
  });

  it('refuses symbolic links and other things in the place of its files', async () => {
    using place = new Place();
    await place.bootstrap();
    const key = place.moveAway('issuer/tls.key');
    fs.symlinkSync(key, place.path('issuer/tls.key'));
    await place.refuses('bootstrap_conflict', 'issuer/tls.key: expected a plain file, got a symbolic link');
    fs.rmSync(place.path('issuer/tls.key'));
    fs.mkdirSync(place.path('issuer/tls.key'));
    await place.refuses('bootstrap_conflict', 'expected a plain file, got a directory');
    const issuer = place.moveAway('issuer');
    fs.symlinkSync(issuer, place.path('issuer'));
    await place.refuses('bootstrap_conflict', 'issuer: expected a directory, got a symbolic link');
  });

  it('does not write through a dangling link that lies where a file should be', async () => {
    using place = new Place();
    fs.mkdirSync(place.path('anchor'), { recursive: true, mode: 0o700 });
    const elsewhere = place.path('elsewhere');
    fs.symlinkSync(elsewhere, place.path('anchor/tls.key'));
    await expect(place.bootstrap()).rejects.toMatchObject({ code: 'bootstrap_conflict' });
    expect(fs.existsSync(elsewhere)).toBe(false);
  });

  it('takes a directory that is itself a link, but not a file', async () => {
    using place = new Place();
    await place.bootstrap();
    const link = place.outside('unused', '') + '-link';
    fs.symlinkSync(place.directory, link);
    expect((await place.bootstrap({ directory: link })).made).toEqual([]);
    await place.refuses('bootstrap_conflict', 'expected a directory, got a file', {
      directory: place.path('ca-bundle.crt'),
    });
  });

  it('lets one of two runs at the same time win, and the other one say so', async () => {
    using place = new Place();
    const runs = await Promise.allSettled([place.bootstrap(), place.bootstrap()]);
    const refused = runs.filter((run) => run.status === 'rejected');
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'bootstrap_conflict' });
    expect(refused.length).toBeLessThan(2);
    expect((await place.bootstrap()).made).toEqual([]);
  });
});
