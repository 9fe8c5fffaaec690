import type { Child } from './child.ts';
import { eventually } from './eventually.ts';
import { shownChain } from './show-certificates.ts';
import type { Stage } from './stage.ts';

interface Counts {
  sent: number;
  received: number;
  wrong: number;
}

/**
 * Proves that certificates are renewed and the issuer behind them replaced while one connection stays open and loses nothing.
 *
 * `nextIssuer` is a directory with another issuer under the same anchor.
 */
export async function showRotation(stage: Stage, client: Child, nextIssuer: string): Promise<void> {
  const { world, proofs, clock, signal } = stage;
  const leaves = async (): Promise<{ serial: string; issuerKey: string | undefined }[]> => {
    const shown = await Promise.all([
      shownChain(stage, 'web', world.ports.webAdmin),
      shownChain(stage, 'api', world.ports.apiAdmin),
    ]);
    return shown.map(([leaf]) => ({
      serial: leaf?.serial ?? '',
      issuerKey: leaf?.authorityKeyId?.toString('hex'),
    }));
  };
  const counts = (): Counts => JSON.parse(client.lastLine || '{"sent":0,"received":0,"wrong":0}') as Counts;

  const first = await leaves();
  const before = counts();
  await proofs.show('both proxies renew their certificates', async () => {
    await eventually(async () => (await leaves()).every(({ serial }, at) => serial !== first[at]?.serial), {
      clock,
      signal,
      what: () => 'new serial numbers at both proxies',
    });
    return `serials ${first.map(({ serial }) => serial.slice(0, 8)).join(', ')} -> ${(await leaves()).map(({ serial }) => serial.slice(0, 8)).join(', ')}`;
  });
  await proofs.show('the issuer is replaced, and both proxies hold certificates of the new one', async () => {
    world.useIssuer(nextIssuer);
    await eventually(
      async () => (await leaves()).every(({ issuerKey }, at) => issuerKey !== first[at]?.issuerKey),
      {
        clock,
        signal,
        what: () => 'certificates of the new issuer at both proxies',
      },
    );
    const now = await leaves();
    return `issuer key ${first[0]?.issuerKey?.slice(0, 8)} -> ${now[0]?.issuerKey?.slice(0, 8)}`;
  });
  await proofs.show('meanwhile one connection stayed open and lost nothing', async () => {
    const during = counts();
    if (during.received <= before.received)
      throw new Error(`expected more bytes than ${before.received}, got ${during.received}`);
    const end = await client.stop();
    const after = counts();
    if (end !== 0 || after.wrong > 0 || after.sent !== after.received) {
      throw new Error(`expected every byte back, got ${JSON.stringify(after)} and exit ${end}`);
    }
    return `${before.received} bytes echoed before, ${after.received - before.received} during and after\n${after.sent} sent, ${after.received} received, ${after.wrong} wrong`;
  });
}
