import { systemClock, type Clock } from '../../../../src/runtime/clock.ts';
import { eventually } from '../../../support/eventually.ts';
import type { SecretWatch } from '../../../support/secret-watch.ts';
import type { Column, IssuerUnderTest, Wish } from '../column.ts';
import type { OpenIssuer } from '../open-issuer.ts';
import { withoutCa } from './local.ts';
import type { VaultBackend } from './vault-backend.ts';

/** Half of the shortest life is 10 to 15 seconds after Vault has signed, on its own clock. */
const aheadMs = 10_000;
const aheadClock: Clock = { ...systemClock, now: () => new Date(Date.now() + aheadMs) };

/** `issuer=vault` with an intermediate of this replica, which the server has signed. */
export const vaultIntermediate =
  (backend: VaultBackend, name: Column['name'], seenOn: string) =>
  (watch: SecretWatch): Column => ({
    name,
    seenOn,
    cannot: withoutCa,
    open: (wish) => open(backend, wish, watch),
  });

async function open(backend: VaultBackend, wish: Wish, watch: SecretWatch): Promise<IssuerUnderTest> {
  const env = {
    KEDGE_ISSUER_MODE: 'intermediate',
    KEDGE_VAULT_INTERMEDIATE_LIFETIME: lifetimeOf(wish),
  };
  const cell = await backend.cell(wish, watch, env, wish.renewsSoon === true ? aheadClock : systemClock);
  const { opened, pki } = cell;
  const faults = cell.faults(wish);
  return {
    opened,
    faults: {
      ...faults,
      spoil: () => pki.setPolicy([]),
      revokeLogin: async () => {
        await faults.revokeLogin?.();
        await renewed(opened);
      },
    },
    close: () => cell.close(),
  };
}

function lifetimeOf({ renewsSoon, caEndsInMs }: Wish): string {
  if (renewsSoon === true) return '1m';
  return caEndsInMs === undefined ? '24h' : `${caEndsInMs / 1000}s`;
}

/** Waits until there is another intermediate: for that it must be logged in. */
async function renewed({ issuer }: OpenIssuer): Promise<void> {
  const fingerprint = (): unknown => 'fingerprint' in issuer.state.value && issuer.state.value.fingerprint;
  const before = fingerprint();
  await eventually(() => expect(fingerprint()).not.toBe(before));
}
