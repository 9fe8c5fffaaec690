import type { SecretWatch } from '../../../support/secret-watch.ts';
import { TemporaryDirectory } from '../../../support/temporary-directory.ts';
import type { TestCa } from '../../../support/test-ca.ts';
import type { Column, IssuerUnderTest, Wish } from '../column.ts';
import { OpenIssuer } from '../open-issuer.ts';
import { CaFamily } from './ca-family.ts';
import { withoutCa, withoutLogin } from './local.ts';

/** `issuer=local` with the CA in a directory. */
export function localDirectory(watch: SecretWatch): Column {
  return {
    name: 'local, directory',
    seenOn: 'real files',
    cannot: {
      ...withoutCa,
      ...withoutLogin,
      'signs on while the CA is away': 'no CA is asked, as its key is at hand',
    },
    open: (wish) => open(wish, watch),
  };
}

async function open(wish: Wish, watch: SecretWatch): Promise<IssuerUnderTest> {
  const family = new CaFamily(wish, watch);
  const directory = new TemporaryDirectory();
  const put = (ca: TestCa): Promise<void> => {
    const { certificates, privateKey } = family.material(ca);
    directory.mount({ 'tls.crt': certificates, 'tls.key': privateKey });
    return Promise.resolve();
  };
  if (wish.empty !== true) await put(family.signing());
  const env = { KEDGE_ISSUER: 'local', KEDGE_ISSUER_LOCAL_DIR: directory.path };
  const opened = await OpenIssuer.configured(env, [family.anchor.certificate], watch);
  return {
    opened,
    faults: {
      replace: async () => {
        const next = family.signing();
        await put(next);
        return next.certificate;
      },
      replaceByStranger: () => put(family.stranger()),
      spoil: async () => directory.mount({ 'tls.crt': 'no certificate', 'tls.key': 'no key' }),
      arrive: () => put(family.signing()),
    },
    close: async () => directory[Symbol.dispose](),
  };
}
