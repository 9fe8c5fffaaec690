import { setTimeout as sleep } from 'node:timers/promises';
import { Conversation } from './conversation.ts';
import { WrongBytesError, writeQuestion } from './frame.ts';
import type { Gate } from './gate.ts';
import type { Answered, Kind, Ledger } from './ledger.ts';

/** Ports of the client's proxy. */
export interface TrafficPorts {
  readonly api: number;
  readonly steady: number;
  readonly gate: number;
}

export interface TrafficOptions {
  readonly ports: TrafficPorts;
  readonly ledger: Ledger;
  readonly gate: Gate;
  /** Whether an endpoint of the changing service is in the map now, by the letter it answers with. */
  readonly inMap: (server: string) => boolean;
}

/** How many clients of each kind work at once. */
const clients: Record<Kind, number> = { short: 3, 'half-closed': 2, slow: 4, long: 3, gate: 1 };
const longestBits = 20;
const slowMs = { least: 2_000, more: 4_000 };
const pauseMs = { least: 40, more: 120 };
const afterFaultMs = 500;

/** Clients that ask and check the answers, each one request after another, until they are told to end. */
export class Traffic {
  readonly #options: TrafficOptions;
  readonly #working: Promise<void>[] = [];
  #leaving = false;

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  start(): void {
    const { ports } = this.#options;
    const work: Record<Kind, () => Promise<void>> = {
      short: () => this.#oneByOne('short', ports.api),
      'half-closed': () => this.#oneByOne('half-closed', ports.api),
      slow: () => this.#oneByOne('slow', ports.api),
      long: () => this.#long(),
      gate: () => this.#atGate(),
    };
    for (const [kind, count] of Object.entries(clients) as [Kind, number][])
      for (let client = 0; client < count; client += 1) this.#working.push(work[kind]());
  }

  /** Lets every request under way come to its end, and begins no other. */
  async stop(): Promise<void> {
    this.#leaving = true;
    await Promise.all(this.#working);
  }

  async #oneByOne(kind: Kind, port: number): Promise<void> {
    const { ledger, inMap } = this.#options;
    while (this.#going()) {
      try {
        const answer = await this.#once(kind, port);
        ledger.answered(answer);
        if (kind === 'slow' && !inMap(answer.server)) ledger.drained += 1;
      } catch (error) {
        await this.#broken(kind, error);
      }
      await pause();
    }
  }

  #going(): boolean {
    return !this.#leaving;
  }

  /** One request on a connection of its own. */
  async #once(kind: Kind, port: number): Promise<Answered> {
    const startedMs = this.#options.ledger.nowMs;
    const connection = new Conversation(port);
    try {
      const answer = await ask(connection, kind);
      await connection.close();
      return { kind, startedMs, ...answer };
    } finally {
      connection.destroy();
    }
  }

  /** One connection for as long as there is traffic; another only when it broke, which is counted. */
  async #long(): Promise<void> {
    const { ledger, ports } = this.#options;
    while (this.#going()) {
      const connection = new Conversation(ports.steady);
      try {
        while (this.#going()) {
          const startedMs = ledger.nowMs;
          ledger.answered({ kind: 'long', startedMs, ...(await ask(connection, 'long')) });
          await pause();
        }
        await connection.close();
      } catch (error) {
        await this.#broken('long', error);
      } finally {
        connection.destroy();
      }
    }
  }

  async #atGate(): Promise<void> {
    const { ledger, ports, gate } = this.#options;
    while (this.#going()) {
      const startedMs = ledger.nowMs;
      const outcome = await this.#once('gate', ports.gate).catch((error: unknown) => ({ error }));
      const admitted = !('error' in outcome);
      const fault = gate.judge({ startedMs, admitted, nowMs: ledger.nowMs });
      if (!admitted && outcome.error instanceof WrongBytesError) await this.#broken('gate', outcome.error);
      else if (fault !== undefined) await this.#broken('gate', new Error(fault));
      else if (admitted) ledger.answered(outcome);
      else ledger.refused('gate');
      await pause();
    }
  }

  async #broken(kind: Kind, error: unknown): Promise<void> {
    this.#options.ledger.broken(kind, error);
    await sleep(afterFaultMs);
  }
}

/** Asks with random bytes for random bytes. Gives who answered, and the bytes of both. */
async function ask(connection: Conversation, kind: Kind): Promise<{ server: string; bytes: number }> {
  const [sent, answerBytes] = [randomSize(), randomSize()];
  const question = writeQuestion({ afterEnd: kind === 'half-closed' || kind === 'slow', answerBytes }, sent);
  const overMs = kind === 'slow' ? slowMs.least + Math.random() * slowMs.more : 0;
  return { server: await connection.ask(question, overMs), bytes: sent + answerBytes };
}

/** From nothing to 1 MB, small sizes as often as large ones. */
function randomSize(): number {
  return Math.floor(2 ** (Math.random() * longestBits)) - 1;
}

function pause(): Promise<void> {
  return sleep(pauseMs.least + Math.random() * pauseMs.more);
}
