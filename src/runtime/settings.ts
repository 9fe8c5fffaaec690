import type { IpNetwork } from './ip-network.ts';
import type { Setting, Settings } from './env.ts';
import * as formats from './formats.ts';
import type { Bounds, Format } from './formats.ts';
import type { PortSet } from './port-set.ts';
import type { SocketAddress } from './socket-address.ts';

/** What every setting says of itself, whatever its kind. */
export interface SettingOptions {
  readonly name: string;
  /** One sentence for docs/configuration.md. */
  readonly help: string;
  /** The text that holds where the variable is not set; it is parsed once when the table is made. */
  readonly fallback?: string;
  readonly required?: true;
}

/** A setting with neither a fallback nor a duty to be set may be undefined. */
export type ValueOf<O extends SettingOptions, T> = O extends { fallback: string } | { required: true }
  ? T
  : T | undefined;

/** A setting of any format; the functions below are this with the formats that come with it. */
export function setting<const O extends SettingOptions, T>(
  options: O,
  format: Format<T>,
): Setting<ValueOf<O, T>> {
  const { name, help, fallback, required = false } = options;
  const parse = (text: string): T => {
    const value = format.parse(text);
    if (value === undefined) throw new RangeError(`expected ${format.expected}`);
    return value;
  };
  if (fallback !== undefined) parse(fallback);
  return { name, help, fallback, required, expected: format.expected, parse };
}

export function text<const O extends SettingOptions>(options: O): Setting<ValueOf<O, string>> {
  return setting(options, formats.textFormat);
}

/** A text that something is compared with, which blanks would never equal. */
export function filledText<const O extends SettingOptions>(options: O): Setting<ValueOf<O, string>> {
  return setting(options, formats.filledTextFormat);
}

/** A text that no problem, log or page ever shows. */
export function secret<const O extends SettingOptions>(options: O): Setting<ValueOf<O, string>> {
  return { ...setting(options, formats.textFormat), secret: true };
}

export function integer<const O extends SettingOptions & Bounds>(options: O): Setting<ValueOf<O, number>> {
  return setting(options, formats.integerFormat(options));
}

export function boolean<const O extends SettingOptions>(options: O): Setting<ValueOf<O, boolean>> {
  return setting(options, formats.booleanFormat);
}

/** A Go duration (`24h0m0s`) in milliseconds; bounds in milliseconds. */
export function duration<const O extends SettingOptions & Bounds>(options: O): Setting<ValueOf<O, number>> {
  return setting(options, formats.durationFormat(options));
}

/** A duration in the grammar of contract 2.3 (`10s`, `1d`) in milliseconds; bounds in milliseconds. */
export function proxyDuration<const O extends SettingOptions & Bounds>(
  options: O,
): Setting<ValueOf<O, number>> {
  return setting(options, formats.proxyDurationFormat(options));
}

export function ratio<const O extends SettingOptions>(options: O): Setting<ValueOf<O, number>> {
  return setting(options, formats.ratioFormat);
}

/** An address to listen on; its port may be 0. */
export function socketAddress<const O extends SettingOptions>(
  options: O,
): Setting<ValueOf<O, SocketAddress>> {
  return setting(options, formats.socketAddressFormat);
}

/** An address of another process. */
export function remoteAddress<const O extends SettingOptions>(
  options: O,
): Setting<ValueOf<O, SocketAddress>> {
  return setting(options, formats.remoteAddressFormat);
}

export function oneOf<const V extends string, const O extends SettingOptions & { values: readonly V[] }>(
  options: O & { values: readonly V[] },
): Setting<ValueOf<O, V>> {
  return setting(options, formats.oneOfFormat(options.values));
}

/** Items separated by commas. */
export function list<T, const O extends SettingOptions & { item: Format<T> }>(
  options: O & { item: Format<T> },
): Setting<ValueOf<O, readonly T[]>> {
  return setting(options, formats.listFormat(options.item));
}

export function cidrs<const O extends SettingOptions>(options: O): Setting<ValueOf<O, readonly IpNetwork[]>> {
  return setting(options, formats.listFormat(formats.cidrFormat));
}

export function dnsName<const O extends SettingOptions>(options: O): Setting<ValueOf<O, string>> {
  return setting(options, formats.dnsNameFormat);
}

export function dnsLabel<const O extends SettingOptions>(options: O): Setting<ValueOf<O, string>> {
  return setting(options, formats.dnsLabelFormat);
}

export function path<const O extends SettingOptions>(options: O): Setting<ValueOf<O, string>> {
  return setting(options, formats.pathFormat);
}

export function url<const O extends SettingOptions>(options: O): Setting<ValueOf<O, URL>> {
  return setting(options, formats.urlFormat);
}

export function portSet<const O extends SettingOptions>(options: O): Setting<ValueOf<O, PortSet>> {
  return setting(options, formats.portSetFormat);
}

/** One line of docs/configuration.md. */
export interface SettingRow {
  readonly name: string;
  readonly expected: string;
  readonly fallback: string | undefined;
  readonly required: boolean;
  readonly help: string;
}

/** A table of settings as data, in the order of their declaration. */
export function settingRows(settings: Settings): SettingRow[] {
  return Object.values(settings).map(({ name, expected, fallback, required, help }) => ({
    name,
    expected,
    fallback,
    required,
    help,
  }));
}
