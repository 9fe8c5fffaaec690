import path from 'node:path';
import type { BenchOptions, Comparison, Missing, Round } from '../part.ts';
import { findProgram } from '../processes/find-program.ts';
import { onCore } from '../processes/on-core.ts';
import { Processes } from '../processes/processes.ts';
import { opensslVerifyAndSign } from './openssl-speed.ts';

const seconds = 2;
const signing = 'verify a CSR and sign a leaf';
const unit = 'operations/s';

/**
 * What a certificate costs without the service around it, against the two cryptographic operations that it cannot do
 * without. Each side runs alone, held to the same core, and counts its own processor time.
 */
export async function measureSigning(options: BenchOptions): Promise<(Comparison | Missing)[]> {
  const openssl = findProgram('openssl');
  if (openssl === undefined) return [{ measure: signing, lacks: 'no openssl: apt-get install openssl' }];
  await using processes = new Processes(options.signal);
  const measures: Record<'openssl' | 'sign' | 'sign-and-check' | 'node-crypto', () => Promise<number>> = {
    sign: () => loop(processes, 'sign'),
    openssl: () => opensslVerifyAndSign(processes, openssl, seconds),
    'node-crypto': () => loop(processes, 'node-crypto'),
    'sign-and-check': () => loop(processes, 'sign-and-check'),
  };
  type Name = keyof typeof measures;
  const order = Object.keys(measures) as Name[];
  const rounds: Record<Name, number>[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    options.progress(`${signing}, round ${round} of ${options.rounds}`);
    const results: Partial<Record<Name, number>> = {};
    for (const name of round % 2 === 1 ? order : order.toReversed()) results[name] = await measures[name]();
    rounds.push(results as Record<Name, number>);
  }
  const pairs = (ours: Name, peer: Name): Round[] =>
    rounds.map((round) => ({ ours: round[ours], peer: round[peer] }));
  const against = 'openssl speed, verify + sign';
  return [
    { measure: signing, against, unit, rounds: pairs('sign', 'openssl'), floor: { at: 'least', value: 0.3 } },
    { measure: signing, against: 'node:crypto, verify + sign', unit, rounds: pairs('sign', 'node-crypto') },
    { measure: `${signing}, and verify it`, against, unit, rounds: pairs('sign-and-check', 'openssl') },
  ];
}

async function loop(processes: Processes, kind: string): Promise<number> {
  const program = path.join(import.meta.dirname, 'signing-loop.ts');
  const output = await processes.output(onCore(0, [process.execPath, program, kind, String(seconds)]));
  return Number(output);
}
