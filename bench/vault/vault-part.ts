import { openBao } from '../../test/issuers/vault/support/vault-programs.ts';
import type { Contender } from '../ca/contender.ts';
import { h2load } from '../ca/h2load.ts';
import { startIdentity } from '../ca/identity-peer.ts';
import type { BenchOptions, BenchPart, Comparison, Missing, Round } from '../part.ts';
import { findProgram } from '../processes/find-program.ts';
import { Processes } from '../processes/processes.ts';
import { SignClient } from './sign-client.ts';
import { VaultWorld } from './vault-world.ts';

const measure = 'Certify through Vault direct, 32 at once';
const atOnce = 32;
/** In each round the sides take turns: what else the machine does comes and goes. */
const turnsInRound = 4;
const requestsInTurn = 1_600;
/** Both sides run for days where they are in earnest; their code is compiled for speed within some thousand calls. */
const warmUpRounds = 2;
/** Of the server's own quota, certificates a second; and for how many of them a turn goes on. */
const quota = 200;
/** Of the quota: where the server itself gives less, it is not the quota that is measured. */
const quotaIsReached = 0.9;
const heldTurns = 2;
const requestsInHeldTurn = 1_000;

/** Certificates of a real server of the Vault API, beside the same calls made straight to it, and beside the local issuer. */
export const vaultPart: BenchPart = {
  name: 'vault',
  run: async (options) => {
    const load = findProgram('h2load');
    if (load === undefined) return [{ measure, lacks: 'no h2load: apt-get install nghttp2-client' }];
    if (openBao.missing !== undefined) return [{ measure, lacks: openBao.missing }];
    options.progress('starting OpenBao');
    await using vaultWorld = await VaultWorld.create();
    await using processes = new Processes(options.signal);
    const bench = new VaultBench(vaultWorld, processes, load, options);
    return [await bench.direct(), await bench.intermediate(), await bench.held()];
  },
};

interface Turns {
  readonly name: string;
  readonly warmUpRounds: number;
  readonly turnsInRound: number;
  readonly ours: () => Promise<number>;
  readonly peer: () => Promise<number>;
}

class VaultBench {
  readonly #on: VaultWorld;
  readonly #processes: Processes;
  readonly #load: string;
  readonly #options: BenchOptions;

  constructor(on: VaultWorld, processes: Processes, load: string, options: BenchOptions) {
    this.#on = on;
    this.#processes = processes;
    this.#load = load;
    this.#options = options;
  }

  /** Nothing is held to a core: the server takes all of them. */
  async direct(): Promise<Comparison> {
    const identity = await this.#identity('direct', this.#on.settings, false);
    using client = await this.#client();
    const rounds = await this.#rounds({
      ...{ name: measure, warmUpRounds, turnsInRound },
      ours: () => this.#rate(identity, requestsInTurn, false),
      peer: () => client.rate(requestsInTurn, this.#options.signal),
    });
    await this.#processes.stop(identity.process);
    const against = 'sign calls to the same server by a keep-alive client';
    return { measure, against, unit: 'req/s', rounds, floor: { at: 'least', value: 0.5 } };
  }

  /** The CA is asked for nothing while it is measured, so one core is for identity and one for the load. */
  async intermediate(): Promise<Comparison> {
    const name = 'Certify in intermediate mode, 32 at once';
    const ours = await this.#identity('own', this.#on.intermediateSettings, true);
    const peer = await this.#identity('local', {}, true);
    const rounds = await this.#rounds({
      ...{ name, warmUpRounds, turnsInRound },
      ours: () => this.#rate(ours, requestsInTurn, true),
      peer: () => this.#rate(peer, requestsInTurn, true),
    });
    for (const { process } of [ours, peer]) await this.#processes.stop(process);
    return {
      ...{ measure: name, against: 'the local issuer', unit: 'req/s', rounds },
      floor: { at: 'least', value: 0.9 },
    };
  }

  /** The server refuses what is beyond its quota; neither side is told of it. */
  async held(): Promise<Comparison | Missing> {
    const name = `${measure}, held to ${quota} a second by Vault's quota`;
    await this.#on.server.expect('sys/quotas/rate-limit/kedge', {
      body: { path: 'pki/sign/kedge', rate: quota, interval: '1s' },
    });
    const identity = await this.#identity('held', this.#on.settings, false);
    using client = await this.#client();
    const rounds = await this.#rounds({
      ...{ name, warmUpRounds: 1, turnsInRound: heldTurns },
      ours: () => this.#rate(identity, requestsInHeldTurn, false),
      peer: () => client.rate(requestsInHeldTurn, this.#options.signal),
    });
    if (rounds.some(({ peer }) => peer < quota * quotaIsReached))
      return { measure: name, lacks: `a machine that gives ${quota} a second to one who asks alone` };
    const against = 'sign calls to the same server by a keep-alive client';
    return { measure: name, against, unit: 'req/s', rounds, floor: { at: 'least', value: 0.95 } };
  }

  #identity(
    name: 'direct' | 'own' | 'held' | 'local',
    settings: Record<string, string>,
    pinned: boolean,
  ): Promise<Contender> {
    const { world } = this.#on;
    const plan = { port: world.ports[name], adminPort: world.ports[`${name}Admin`], settings, pinned };
    return startIdentity(this.#processes, world, { name: `identity ${name}`, ...plan });
  }

  async #client(): Promise<SignClient> {
    return new SignClient(this.#on, await this.#on.token(), atOnce);
  }

  async #rate(identity: Contender, requests: number, pinned: boolean): Promise<number> {
    const { url, headers, bodyFile, process, prepare } = identity;
    const check = await prepare();
    const shape = { connections: 1, streams: atOnce, requests, pinned };
    const rate = await h2load(this.#processes, this.#load, { url, headers, bodyFile, ...shape });
    process.checkRunning();
    await check(requests);
    return rate;
  }

  /** Rates are of the time that a side has spent in all its turns of a round. */
  async #rounds(turns: Turns): Promise<Round[]> {
    const { rounds, progress, signal } = this.#options;
    const measured: Round[] = [];
    for (let round = 1 - turns.warmUpRounds; round <= rounds; round += 1) {
      progress(round < 1 ? `${turns.name}, warming up` : `${turns.name}, round ${round} of ${rounds}`);
      const seconds: Record<keyof Round, number> = { ours: 0, peer: 0 };
      for (let turn = 0; turn < turns.turnsInRound; turn += 1) {
        signal.throwIfAborted();
        for (const side of turn % 2 === 1 ? (['ours', 'peer'] as const) : (['peer', 'ours'] as const))
          seconds[side] += 1 / (await turns[side]());
      }
      const rateOf = (side: keyof Round): number => turns.turnsInRound / seconds[side];
      if (round > 0) measured.push({ ours: rateOf('ours'), peer: rateOf('peer') });
    }
    return measured;
  }
}
