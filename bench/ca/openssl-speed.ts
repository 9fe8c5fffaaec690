import { onCore } from '../processes/on-core.ts';
import type { Processes } from '../processes/processes.ts';

/**
 * P-256 verifications plus signatures, one of each, that `openssl speed` makes in a second of processor time on one
 * core. It counts the processor time of its process and not the time on the wall.
 */
export async function opensslVerifyAndSign(
  processes: Processes,
  openssl: string,
  seconds: number,
): Promise<number> {
  const command = [openssl, 'speed', '-mr', '-seconds', String(seconds), 'ecdsap256'];
  const output = await processes.output(onCore(0, command));
  // `+F4:index:bits:signatures a second:verifications a second`; the number after F differs between versions.
  const [, signs, verifies] = /^\+F\d+:\d+:256:([\d.]+):([\d.]+)$/m.exec(output) ?? [];
  const [sign, verify] = [Number(signs), Number(verifies)];
  // Before OpenSSL 3 these were the seconds of one operation.
  if (!(sign > 1 && verify > 1)) throw new Error(`expected rates from ${command.join(' ')}, got: ${output}`);
  return 1 / (1 / sign + 1 / verify);
}
