import type { DestinationClient, DestinationProfile } from '../../rpc/destination-api.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { LatestValue } from '../../runtime/latest.ts';
import type { Latest } from '../../runtime/latest.ts';
import { formatSocketAddress } from '../../runtime/socket-address.ts';
import type { SocketAddress } from '../../runtime/socket-address.ts';
import { followStream } from '../control-stream.ts';
import type { ControlStreamOptions } from '../control-stream.ts';
import { Outages } from '../outages.ts';
import { readEndpoint } from './endpoint.ts';
import { EndpointSet } from './endpoint-set.ts';
import type { EndpointState } from './endpoint-set.ts';
import { outboundErrors } from './errors.ts';

/** What discovery says of one target; `refused` is that it will say nothing. */
export type LookupState = EndpointState | { readonly kind: 'refused'; readonly cause: unknown };

export interface LookupOptions {
  readonly client: DestinationClient;
  /** Sent as it is with each call (contract 4.3). */
  readonly contextToken: string;
  readonly stream: ControlStreamOptions;
}

/**
 * Follows one target: its profile, and then the endpoints of the name the profile gives, or the one endpoint that
 * the profile itself holds. What was told stays while the streams are down.
 */
export class Lookup {
  readonly #target: SocketAddress;
  readonly #options: LookupOptions;
  readonly #end = new AbortController();
  readonly #state = new LatestValue<LookupState>({ kind: 'unknown' });
  readonly #outages = new Outages<'profile' | 'endpoints'>();
  #following: { readonly path: string; readonly end: AbortController } | undefined;

  constructor(target: SocketAddress, options: LookupOptions) {
    this.#target = target;
    this.#options = options;
    void this.#followProfile();
  }

  get state(): Latest<LookupState> {
    return this.#state;
  }

  /** Why a stream of this target is down, while one is. */
  get away(): Latest<string | undefined> {
    return this.#outages.first;
  }

  close(): void {
    this.#end.abort();
    this.#mended('profile');
    this.#mended('endpoints');
  }

  #followProfile(): Promise<void> {
    const { client, contextToken, stream } = this.#options;
    const request = { scheme: '', path: formatSocketAddress(this.#target), contextToken };
    return followStream<DestinationProfile>(
      {
        open: (signal) => client.getProfile(request, signal),
        onMessage: (profile) => {
          this.#mended('profile');
          this.#takeProfile(profile);
        },
        onBroken: (cause) => this.#broke('profile', cause),
        onRefused: (cause) => this.#refuse(cause),
      },
      stream,
      this.#end.signal,
    );
  }

  #takeProfile(profile: DestinationProfile): void {
    if (profile.endpoint !== undefined) {
      this.#followName(undefined);
      const endpoint = readEndpoint(profile.endpoint);
      this.#state.set({ kind: 'known', endpoints: endpoint === undefined ? [] : [endpoint] });
    } else if (profile.fullyQualifiedName !== '') {
      this.#followName(`${profile.fullyQualifiedName}:${this.#target.port}`);
    } else {
      const message = `expected a profile with a name or an endpoint for ${formatSocketAddress(this.#target)}, got neither; is this port one of the service's?`;
      this.#followName(undefined);
      // Not the last word: the port may be added to the service, and the profile is then sent anew.
      this.#state.set({ kind: 'refused', cause: outboundErrors.error('outbound_profile_empty', message) });
    }
  }

  /** Follows the endpoints of `path` from here on, and of no other name. */
  #followName(path: string | undefined): void {
    if (path === this.#following?.path) return;
    this.#following?.end.abort();
    this.#mended('endpoints');
    this.#following = undefined;
    if (path === undefined || this.#end.signal.aborted) return;
    const end = new AbortController();
    this.#following = { path, end };
    void this.#followEndpoints(path, AbortSignal.any([end.signal, this.#end.signal]));
  }

  #followEndpoints(path: string, signal: AbortSignal): Promise<void> {
    const { client, contextToken, stream } = this.#options;
    const set = new EndpointSet();
    return followStream(
      {
        open: (call) => client.get({ scheme: '', path, contextToken }, call),
        onOpen: () => set.reopened(),
        onMessage: (update) => {
          if (signal.aborted) return;
          this.#mended('endpoints');
          if (set.apply(update)) this.#state.set(set.state);
        },
        onBroken: (cause) => this.#broke('endpoints', cause),
        onRefused: (cause) => this.#refuse(cause),
      },
      stream,
      signal,
    );
  }

  /** Asking again would get the same answer: whoever wants another one makes a new lookup, later. */
  #refuse(cause: unknown): void {
    if (this.#end.signal.aborted) return;
    this.#state.set({ kind: 'refused', cause });
    this.close();
  }

  #broke(stream: 'profile' | 'endpoints', cause: unknown): void {
    if (this.#end.signal.aborted) return;
    this.#outages.set(stream, cause === undefined ? 'the stream was ended' : errorMessage(cause));
  }

  #mended(stream: 'profile' | 'endpoints'): void {
    this.#outages.set(stream, undefined);
  }
}
