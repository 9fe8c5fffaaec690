import type { Channel } from '../rpc/channel.ts';
import { connectChannel } from '../rpc/connect-channel.ts';
import type { OwnCredentials } from '../rpc/own-credentials.ts';
import { retrySleep } from '../rpc/retry-sleep.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { isLoopback } from '../runtime/socket-address.ts';
import type { SocketAddress } from '../runtime/socket-address.ts';
import type { ControlStreamOptions } from './control-stream.ts';
import type { ProxySettings } from './settings/proxy-settings.ts';

/** A connection to one service of the control plane, and the rules for the streams on it. */
export interface ControlService {
  readonly channel: Channel;
  readonly stream: ControlStreamOptions;
}

export interface ControlServiceOptions {
  readonly address: SocketAddress;
  readonly serverName: string | undefined;
  readonly settings: ProxySettings;
  readonly own: OwnCredentials;
  readonly clock: Clock;
  readonly log: Log;
}

/** Closed when the signal is aborted. */
export function controlService(options: ControlServiceOptions, signal: AbortSignal): ControlService {
  const { address, serverName, settings, own, clock, log } = options;
  const backoff = { minMs: settings.backoffMinMs, maxMs: settings.backoffMaxMs };
  const channel = connectChannel({ address, serverName, ...own, log, reconnect: backoff });
  signal.addEventListener('abort', () => channel.close(), { once: true });
  return {
    channel,
    stream: {
      // A connection made without a certificate, or with one that has ended, would be a stranger's.
      ready: (until) =>
        own.credentials.until((value) => value !== undefined && value.leaf.notAfter > clock.now(), until),
      limits: streamLimits(settings, address),
      backoff: { ...backoff, jitter: settings.backoffJitter },
      sleep: retrySleep(channel, clock),
      clock,
    },
  };
}

/** A service beside this proxy cannot be lost on the way: the limits do not hold for it (contract 2.3). */
function streamLimits(settings: ProxySettings, { host }: SocketAddress): ControlStreamOptions['limits'] {
  const local = isLoopback(host);
  return {
    initialMs: local ? undefined : settings.streamInitialTimeoutMs,
    idleMs: local ? undefined : settings.streamIdleTimeoutMs,
    lifetimeMs: local ? undefined : settings.streamLifetimeMs,
  };
}
