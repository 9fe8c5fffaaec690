import path from 'node:path';
import { Update } from '../../src/rpc/gen/io/linkerd/proxy/destination/destination.ts';
import { onCore } from '../processes/on-core.ts';
import type { Processes } from '../processes/processes.ts';
import { Dialogue } from './dialogue.ts';
import { firstWeight } from './endpoints.ts';
import type { Material, ServerAnswer, ServerOrder, SubscriberAnswer, SubscriberOrder } from './messages.ts';

export interface SideOptions {
  readonly processes: Processes;
  readonly signal: AbortSignal;
  readonly server: 'kedge-server' | 'plain-server';
  readonly connections: number;
  /** On each connection. */
  readonly streams: number;
  readonly material: { readonly server: Material; readonly client: Material };
  /** A folder for the logs. */
  readonly directory: string;
}

/** What one change cost. */
export interface Delivery {
  /** From the order to change, as it came to the server, to the last message as it came to the subscribers. */
  readonly lastMs: number;
  /** Processor time of the server. */
  readonly processorMs: number;
  /** As every stream got it. */
  readonly message: string;
}

/** A server on one core and its subscribers on the other one. */
export class Side {
  /** Resident memory of the server for each stream it holds, in KB of 1000 bytes. */
  readonly kilobytesPerStream: number;
  readonly #server: Dialogue<ServerOrder, ServerAnswer>;
  readonly #subscribers: Dialogue<SubscriberOrder, SubscriberAnswer>;
  #weight = firstWeight;

  private constructor(
    server: Dialogue<ServerOrder, ServerAnswer>,
    subscribers: Dialogue<SubscriberOrder, SubscriberAnswer>,
    kilobytesPerStream: number,
  ) {
    this.#server = server;
    this.#subscribers = subscribers;
    this.kilobytesPerStream = kilobytesPerStream;
  }

  /** Starts both; every stream has had its first message when this resolves. */
  static async start(options: SideOptions): Promise<Side> {
    const { server: program, connections, streams, material, signal } = options;
    const server = new Dialogue<ServerOrder, ServerAnswer>(run(program, 1, options), signal);
    const subscribers = new Dialogue<SubscriberOrder, SubscriberAnswer>(
      run('subscribers', 0, options),
      signal,
    );
    const { port } = await server.ask({ kind: 'serve', material: material.server }, 'serving');
    const before = await server.ask({ kind: 'usage' }, 'usage');
    await subscribers.ask(
      { kind: 'connect', port, connections, streams, material: material.client },
      'connected',
    );
    const after = await server.ask({ kind: 'usage' }, 'usage');
    const kilobytes = (after.residentBytes - before.residentBytes) / 1000;
    return new Side(server, subscribers, kilobytes / (connections * streams));
  }

  /** Gives all endpoints the next weight and waits until every stream was told. Throws if it was told anything else. */
  async change(): Promise<Delivery> {
    const weight = (this.#weight += 1);
    await this.#subscribers.ask({ kind: 'await' }, 'awaiting');
    const before = await this.#server.ask({ kind: 'usage' }, 'usage');
    const delivered = this.#subscribers.next('delivered');
    const { atMs } = await this.#server.ask({ kind: 'change', weight }, 'changed');
    const { lastAtMs, message } = await delivered;
    const after = await this.#server.ask({ kind: 'usage' }, 'usage');
    checkMessage(message, weight);
    return { lastMs: lastAtMs - atMs, processorMs: after.processorMs - before.processorMs, message };
  }
}

function run(program: string, core: 0 | 1, { processes, server, directory }: SideOptions) {
  const file = path.join(import.meta.dirname, `${program}.ts`);
  const logFile = path.join(directory, `${program}-of-${server}.log`);
  return processes.start(program, onCore(core, [process.execPath, file]), { logFile, messages: true });
}

function checkMessage(message: string, weight: number): void {
  const { update } = Update.decode(Buffer.from(message, 'base64'));
  const addrs = update?.$case === 'add' ? update.value.addrs : [];
  if (addrs.length === 10 && addrs.every((addr) => addr.weight === weight)) return;
  throw new Error(`expected ten endpoints of weight ${weight}, got ${JSON.stringify(update)}`);
}
