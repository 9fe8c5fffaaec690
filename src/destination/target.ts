import { quoted } from '../runtime/quoted.ts';
import { isDnsLabel } from '../runtime/dns-names.ts';
import { destinationErrors } from './errors.ts';
import { IpAddress } from '../runtime/ip-address.ts';

/** A port of a service, or of one of its instances (a pod with a stable host name). */
export interface ServiceTarget {
  readonly kind: 'service';
  readonly namespace: string;
  readonly name: string;
  /** The endpoint's host name when one instance is meant: `instance.svc.ns.svc.<domain>`. */
  readonly instance: string | undefined;
  readonly port: number;
}

/** An address and port, as an application dialled it. */
export interface AddressTarget {
  readonly kind: 'address';
  readonly address: IpAddress;
  readonly port: number;
}

export type Target = ServiceTarget | AddressTarget;

const DEFAULT_PORT = 80;

/**
 * Reads the `path` of a lookup (contract 4.2, 4.4 and 4.6): `host:port`, where a missing port is 80, trailing dots
 * and capitals in a name do not matter, and an IPv6 address stands in brackets.
 * Throws `target_invalid`, or `target_outside_cluster` for a name that is no service of `clusterDomain`.
 */
export function parseTarget(path: string, clusterDomain: string): Target {
  const { host, port } = splitAuthority(path);
  const address = IpAddress.parse(host);
  if (address !== undefined) return { kind: 'address', address, port };
  return { kind: 'service', ...parseServiceName(host, clusterDomain), port };
}

/** The name without the port, as profiles carry it: `[instance.]svc.ns.svc.<domain>`. */
export function qualifiedName(target: Omit<ServiceTarget, 'kind' | 'port'>, clusterDomain: string): string {
  const name = `${target.name}.${target.namespace}.svc.${clusterDomain}`;
  return target.instance === undefined ? name : `${target.instance}.${name}`;
}

function splitAuthority(path: string): { host: string; port: number } {
  const bracketed = /^\[([^[\]]*)\](?::(.*))?$/.exec(path);
  const plain = bracketed ?? /^([^:[\]]*)(?::([^:]*))?$/.exec(path);
  const host = plain?.[1];
  if (host === undefined || host === '') throw invalid(path, 'host:port, with IPv6 in brackets');
  if (bracketed !== null && IpAddress.parse(host) === undefined)
    throw invalid(path, 'an IPv6 address in the brackets');
  return { host, port: parsePort(path, plain?.[2]) };
}

function parsePort(path: string, text: string | undefined): number {
  if (text === undefined) return DEFAULT_PORT;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65535) throw invalid(path, 'a port from 1 to 65535');
  return port;
}

function parseServiceName(host: string, clusterDomain: string) {
  const name = host.toLowerCase().replace(/\.+$/, '');
  const suffix = `.svc.${clusterDomain}`;
  const labels = name.endsWith(suffix) ? name.slice(0, -suffix.length).split('.') : [];
  const [namespace, service, instance] = labels.toReversed();
  const shaped = labels.length <= 3 && labels.every(isDnsLabel);
  if (!shaped || namespace === undefined || service === undefined) {
    throw destinationErrors.error(
      'target_outside_cluster',
      `expected a name like service.namespace${suffix}, got ${quoted(host)}; names outside the cluster are not looked up here`,
    );
  }
  return { namespace, name: service, instance };
}

function invalid(path: string, expected: string) {
  return destinationErrors.error('target_invalid', `expected ${expected}, got ${quoted(path)}`);
}
