import { appendFileSync } from 'node:fs';
import { aborted } from '../../runtime/aborted.ts';
import { createLog } from '../../runtime/log.ts';
import type { Log } from '../../runtime/log.ts';
import { systemClock } from '../../runtime/clock.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { paint, table } from '../table.ts';
import { onInterruption } from '../until-interrupted.ts';
import { eventually } from './eventually.ts';
import { makeAuthorities, makeNextIssuer } from './make-authorities.ts';
import { Mesh } from './mesh.ts';
import { Proofs } from './proofs.ts';
import {
  application,
  certificateSeconds,
  createShopWorld,
  startControlPlane,
  startDataPlane,
} from './shop.ts';
import { showCertificates } from './show-certificates.ts';
import { showRefusals } from './show-refusals.ts';
import { showRotation } from './show-rotation.ts';
import { showTraffic } from './show-traffic.ts';
import type { Stage } from './stage.ts';
import { invitation } from './invitation.ts';
import { WireTap } from './wire-tap.ts';
import { peerAddress } from './world.ts';

export interface DemoOptions {
  /** Leaves everything running after the proofs, until a signal comes. */
  keep: boolean;
  output: 'text' | 'json';
}

/**
 * Runs the main job with real processes on this machine and proves what it did.
 *
 * Answers with the exit code: 0 when every proof held, 1 otherwise.
 */
export async function runDemo({ keep, output }: DemoOptions): Promise<number> {
  const teller = output === 'json' ? undefined : new Teller();
  const leave = new AbortController();
  const forget = onInterruption(() => leave.abort(new Error('a signal ended the demo')));
  const world = await createShopWorld();
  const proofs = new Proofs(systemClock, leave.signal, (proof, afterMs) =>
    teller?.proof(proof.ok, proof.claim, proof.seen, afterMs),
  );
  const mesh = new Mesh(world, systemClock, leave.signal);
  const refreshTokens = setInterval(() => world.writeTokens(systemClock.now()), 60_000);
  let wire: WireTap | undefined;
  try {
    teller?.say(
      `Everything runs on this machine, in ${world.directory}; certificates live ${certificateSeconds} s.`,
    );
    wire = await WireTap.listen(world.ports.wire, world.ports.apiInbound, peerAddress);
    const stage = {
      world,
      mesh,
      wire,
      proofs,
      clock: systemClock,
      signal: leave.signal,
      log: logTo(world.path('logs', 'demo.log')),
    };
    await play(stage, teller);
    if (keep) {
      teller?.say(invitation(world));
      await aborted(leave.signal);
    }
  } catch (error) {
    proofs.add({ claim: 'the demo runs to its end', ok: false, seen: errorMessage(error) });
  } finally {
    clearInterval(refreshTokens);
    await close(mesh, wire, proofs);
    world.remove();
    forget();
  }
  if (output === 'json')
    process.stdout.write(`${JSON.stringify({ ok: proofs.allHold, proofs: proofs.all }, null, 2)}\n`);
  else teller?.end(proofs);
  return proofs.allHold ? 0 : 1;
}

async function play(stage: Stage, teller: Teller | undefined): Promise<void> {
  const { world, mesh } = stage;
  await makeAuthorities(world);
  const nextIssuer = await makeNextIssuer(world, 'next-ca');
  teller?.act('A CA is made; identity and destination start; then a server and three proxies');
  await startControlPlane(mesh, world);
  await startDataPlane(mesh, world);
  await showCertificates(stage);
  teller?.act('A plain client calls a plain server, each through its proxy');
  await showTraffic(stage);
  const client = await mesh.start(application('shop-client', world.ports.webToApi));
  await eventually(
    () => client.lastLine.includes('"received"') && !client.lastLine.includes('"received":0'),
    {
      clock: stage.clock,
      signal: stage.signal,
      what: () => 'the long connection to carry bytes',
    },
  );
  teller?.act('A long connection is open now. Meanwhile: what must be refused');
  await showRefusals(stage);
  teller?.act('The long connection is still open. Now certificates are renewed and the issuer is replaced');
  await showRotation(stage, client, nextIssuer);
}

/** What the demo's own gRPC client logs belongs into a file, like the processes' logs. */
function logTo(file: string): Log {
  return createLog({ name: 'demo', destination: { write: (line) => appendFileSync(file, line) } });
}

/** Ends every process and says which did not end as it should. */
async function close(mesh: Mesh, wire: WireTap | undefined, proofs: Proofs): Promise<void> {
  await proofs.showAtEnd('every process ends when asked to', async () => {
    const wrong = await mesh.stop();
    await wire?.close();
    if (wrong.length > 0) throw new Error(`expected exit code 0 of each, got ${wrong.join('; ')}`);
    return `${mesh.children.length} processes, exit code 0 each`;
  });
}

/** Tells the demo as it goes, for people. */
class Teller {
  readonly #paint = paint(process.stdout);

  say(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  act(title: string): void {
    this.say(`\n${this.#paint.strong(title)}`);
  }

  proof(ok: boolean, claim: string, seen: string, afterMs: number): void {
    const mark = ok ? this.#paint.good('ok    ') : this.#paint.bad('FAILED');
    this.say(`${this.#paint.dim(`${(afterMs / 1000).toFixed(1).padStart(5)} s`)}  ${mark} ${claim}`);
    for (const line of seen.split('\n')) this.say(`${' '.repeat(16)}${this.#paint.dim(line)}`);
  }

  end(proofs: Proofs): void {
    const rows = proofs.all.map(({ ok, claim }, at) => [
      String(at + 1),
      ok ? this.#paint.good('proved') : this.#paint.bad('FAILED'),
      claim,
    ]);
    this.say(`\n${table(rows, { header: ['#', 'result', 'what was to be shown'] })}`);
    const held = proofs.all.filter(({ ok }) => ok).length;
    this.say(`${held} of ${proofs.all.length} proofs hold.`);
  }
}
