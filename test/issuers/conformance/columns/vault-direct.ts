import type { SecretWatch } from '../../../support/secret-watch.ts';
import type { Column, IssuerUnderTest, Wish } from '../column.ts';
import type { VaultBackend } from './vault-backend.ts';

/** `issuer=vault`, each certificate signed by the server. */
export const vaultDirect =
  (backend: VaultBackend, name: Column['name'], seenOn: string) =>
  (watch: SecretWatch): Column => ({
    name,
    seenOn,
    cannot: {
      'signs on while the CA is away': 'each certificate is signed by the CA itself',
      'keeps the last good CA when the next is no good, and says so': 'the CA has its key for itself',
    },
    open: (wish) => open(backend, wish, watch),
  });

async function open(backend: VaultBackend, wish: Wish, watch: SecretWatch): Promise<IssuerUnderTest> {
  const cell = await backend.cell(wish, watch, { KEDGE_ISSUER_MODE: 'direct' });
  const { opened, wire, pki } = cell;
  return {
    opened,
    faults: {
      ...cell.faults(wish),
      silence: () => {
        wire.silence();
        return Promise.resolve(async () => wire.end());
      },
      openCalls: () => Promise.resolve(wire.waiting),
      misbehave: async () => {
        await pki.setRole({ client_flag: false });
        return 'extended-key-usage';
      },
    },
    close: () => cell.close(),
  };
}
