import { randomBytes } from 'node:crypto';
import type { Timer } from '../runtime/clock.ts';
import { microTime } from './micro-time.ts';

/** What an Event is about. `kubectl describe` finds it by `uid` where there is one. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  /** None for objects of the whole cluster, whose Events are in `default`. */
  readonly namespace?: string;
  readonly name: string;
  readonly uid?: string;
}

/** What has happened to an object, for people. */
export interface Happening {
  readonly regarding: ObjectReference;
  readonly type: 'Normal' | 'Warning';
  /** In CamelCase, such as `CertificateIssued`. Few, since they are what is counted by. */
  readonly reason: string;
  /** What was being done, in CamelCase. */
  readonly action: string;
  /** A sentence or two; longer ones are cut. */
  readonly note: string;
}

const maxNoteLength = 1_000;
const maxNameLength = 230;

/** The same happening, once or many times, and the Event that stands for it. */
export class EventSeries {
  readonly happening: Happening;
  /** How many of `count` the API server knows of. */
  written = 0;
  writtenAtMs = 0;
  attempts = 0;
  timer: Timer | undefined;
  #name: string;
  #first: Date;
  #last: Date;
  #count = 1;

  constructor(happening: Happening, at: Date) {
    this.happening = happening;
    this.#name = nameFor(happening.regarding);
    this.#first = at;
    this.#last = at;
  }

  get count(): number {
    return this.#count;
  }

  get lastAtMs(): number {
    return this.#last.getTime();
  }

  get place(): { readonly namespace: string; readonly name: string } {
    return { namespace: this.happening.regarding.namespace ?? 'default', name: this.#name };
  }

  add(at: Date): void {
    this.#count += 1;
    this.#last = at;
  }

  /** The API server has thrown the Event away, as it does after an hour: what comes next begins another. */
  beginAnew(): void {
    this.#name = nameFor(this.happening.regarding);
    this.#first = this.#last;
    this.#count -= this.written;
    this.written = 0;
  }

  /** The whole Event, as it is created. */
  event(controller: string, instance: string): object {
    const { regarding, note, ...what } = this.happening;
    return {
      metadata: this.place,
      eventTime: microTime(this.#first),
      reportingController: controller,
      reportingInstance: instance,
      regarding,
      note: note.slice(0, maxNoteLength),
      ...what,
      ...this.change(),
    };
  }

  /** What changes of it when it happens again. */
  change(): object {
    if (this.#count === 1) return {};
    return { series: { count: this.#count, lastObservedTime: microTime(this.#last) } };
  }
}

function nameFor({ name }: ObjectReference): string {
  return `${name.slice(0, maxNameLength).replace(/[.-]+$/, '')}.${randomBytes(8).toString('hex')}`;
}
