import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Mesh } from './mesh.ts';
import type { Proofs } from './proofs.ts';
import type { WireTap } from './wire-tap.ts';
import type { ShopWorld } from './shop.ts';

/** What every act of the demo has at hand. */
export interface Stage {
  world: ShopWorld;
  mesh: Mesh;
  wire: WireTap;
  proofs: Proofs;
  clock: Clock;
  /** Aborted when the demo is to end early. */
  signal: AbortSignal;
  log: Log;
}
