import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { eventually } from '../support/eventually.ts';
import { testDomain } from '../support/rpc-server.ts';
import { field } from '../support/protobuf-bytes.ts';
import { tlsIdentity, type RawAnswer, type RawClient } from '../support/raw-grpc.ts';
import { honestCsr } from '../identity/support/certify-bench.ts';
import { IdentityServer } from '../identity/support/identity-server.ts';

const path = '/io.linkerd.proxy.identity.Identity/Certify';
const calls = 10_000;
/** Seconds on a machine that has nothing else to do. */
const timeoutMs = 120_000;
/** What a call that waits may take, on both sides, since its client is in this process too. */
const bytesPerCall = 20_000;
/** What it may have left behind once all are answered: what was compiled, and what is counted for all of them together. */
const bytesLeftPerCall = 1_000;

interface Workload {
  readonly name: string;
  readonly subject: string;
  /** Every address of 127.0.0.0/8 is this machine, and to a server another peer. */
  readonly address: string;
  /** Whether it shows the certificate it has already. */
  readonly certified?: boolean;
}

/** The service, with as many workloads as a test names. */
class Flooded extends IdentityServer {
  /** Calls of the flood that have their answer. */
  answered = 0;
  readonly #first = Promise.withResolvers<undefined>();
  /** Resolves when the first of them has. */
  readonly begun = this.#first.promise;

  know(workloads: readonly Workload[]): void {
    const named = workloads.map(
      ({ name, subject }) => [subject, { namespace: 'shop', serviceAccount: name }] as const,
    );
    this.subjects.set(new Map(named));
  }

  async client({ name, address, certified = false }: Workload) {
    const identity = testDomain.identity('shop', name);
    const shown = certified ? tlsIdentity(this.ca.leaf({ identity }).credentials()) : {};
    return this.outsider({ localAddress: address, ...shown });
  }

  /** Sends this many calls for each workload, all at once, and gives the answers. */
  async flood(workloads: readonly Workload[], each: number): Promise<RawAnswer[]> {
    const clients: RawClient[] = [];
    for (const workload of workloads) clients.push(await this.client(workload));
    const answers = clients.flatMap((client, at) => {
      const request = this.request(workloads[at]!);
      return Array.from({ length: each }, async () => {
        const answer = await client.call(path, request);
        this.answered++;
        this.#first.resolve(undefined);
        return answer;
      });
    });
    const all = await Promise.all(answers);
    for (const client of clients) client[Symbol.dispose]();
    return all;
  }

  request({ name, subject }: Workload): Buffer {
    const { dnsName } = testDomain.identity('shop', name);
    const csr = honestCsr({ dnsNames: [dnsName], uris: [] });
    return Buffer.concat([field(1, dnsName), field(2, this.tokens.sign(subject)), field(3, csr)]);
  }
}

/** How many answers there are of each status; those that limits held back must say when to come back. */
function counted(answers: readonly RawAnswer[]) {
  const held = answers.filter(({ status }) => status === 8);
  return {
    given: answers.filter(({ status }) => status === 0).length,
    held: held.length,
    withoutHint: held.filter(({ trailers }) => trailers['grpc-status-details-bin'] === undefined).length,
    reasons: new Set(held.map(({ message }) => /KEDGE_RATE_\w+/.exec(message)?.[0])),
  };
}

const other: Workload = { name: 'api', subject: 'vm-api', address: '127.0.0.2' };

/** A certificate for the other workload while the flood is under way, and little memory; gives the answers of the flood. */
async function meanwhile(
  bench: Flooded,
  flood: Promise<RawAnswer[]>,
  another: Workload,
): Promise<RawAnswer[]> {
  const before = bytesInUse();
  using client = await bench.client(another);
  await bench.begun;
  expect(bench.answered).toBeLessThan(calls);
  expect(bytesInUse() - before).toBeLessThan(calls * bytesPerCall);
  const answer = await client.call(path, bench.request(another));
  expect(answer.status).toBe(0);
  return await flood;
}

/** Bytes in use once everything that can go has gone. */
function bytesInUse(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('10,000 Certify calls at once', () => {
  it(
    'from one ServiceAccount on one machine get what one caller may have and leave nothing behind, while others are served',
    async () => {
      await using bench = new Flooded();
      const flooding = Array.from({ length: 10 }, (): Workload => ({
        ...{ name: 'web', subject: 'vm-web', address: '127.0.0.66' },
      }));
      bench.know([...flooding, other]);
      const before = bytesInUse();
      const result = counted(await meanwhile(bench, bench.flood(flooding, calls / 10), other));
      await eventually(() => expect(bytesInUse() - before).toBeLessThan(calls * bytesLeftPerCall));
      expect(result).toEqual({
        given: 40,
        held: calls - 40,
        withoutHint: 0,
        reasons: new Set(['KEDGE_RATE_PER_PEER']),
      });
      expect(bench.verified).toBe(40 + 1);
      expect(await bench.metrics.text()).toContain(
        `kedge_identity_answers_total{decision="refused",code="rate_limited"} ${calls - 40}`,
      );
      expect(bench.log.withMessage('certificate refused')).toHaveLength(10);
    },
    timeoutMs,
  );

  it(
    'from one ServiceAccount on 100 machines get what it may have, while workloads with a certificate are renewed',
    async () => {
      await using bench = new Flooded();
      const flooding = Array.from({ length: 100 }, (_, at): Workload => ({
        ...{ name: 'web', subject: 'vm-web', address: `127.0.1.${at + 1}` },
      }));
      bench.know([...flooding, other]);
      const answers = await meanwhile(bench, bench.flood(flooding, calls / 100), {
        ...other,
        certified: true,
      });
      expect(counted(answers)).toMatchObject({ given: 100, held: calls - 100, withoutHint: 0 });
      expect(counted(answers).reasons).toEqual(
        new Set(['KEDGE_RATE_PER_PEER', 'KEDGE_RATE_PER_SERVICE_ACCOUNT', 'KEDGE_RATE_TOTAL']),
      );
      expect(bench.verified).toBe(2000 + 1);
    },
    timeoutMs,
  );

  it(
    'from 50 ServiceAccounts with certificates get what all may have, while a first certificate is given',
    async () => {
      await using bench = new Flooded({ total: 200 });
      const flooding = Array.from({ length: 50 }, (_, at): Workload => ({
        ...{ name: `shop-${at}`, subject: `vm-${at}`, address: `127.0.2.${at + 1}`, certified: true },
      }));
      bench.know([...flooding, other]);
      const answers = await meanwhile(bench, bench.flood(flooding, calls / 50), other);
      expect(counted(answers)).toMatchObject({ given: 400, held: calls - 400, withoutHint: 0 });
      expect(counted(answers).reasons).toEqual(new Set(['KEDGE_RATE_TOTAL', 'KEDGE_RATE_PER_PEER']));
    },
    timeoutMs,
  );
});
