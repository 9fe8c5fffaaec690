import { eventually } from '../../support/eventually.ts';
import type { RunningIdentity, ShownEvent } from './running-identity.ts';

/** What people see with `kubectl get events` of certificates given and refused. */
export function eventTests(identity: RunningIdentity): void {
  const { cluster } = identity;

  const eventsOf = async (namespace: string, reason: string, name: string): Promise<ShownEvent[]> =>
    (await identity.eventsIn(namespace)).filter(
      (event) => event.reason === reason && event.involvedObject.name === name,
    );
  const eventOf = (namespace: string, reason: string, name: string): Promise<ShownEvent> =>
    eventually(async () => {
      const [event] = await eventsOf(namespace, reason, name);
      if (event === undefined) throw new Error(`expected an Event ${reason} of ${name}, found none`);
      return event;
    });

  it('tells of a certificate on the ServiceAccount that it was given to', async () => {
    await cluster.kubectl(['create', 'serviceaccount', 'told', '-n', 'shop']);
    expect((await identity.certify(await identity.token('told'), 'told')).status).toBe(0);
    const given = identity.first.withMessage('certificate given').at(-1);
    const { involvedObject, message, type } = await eventOf('shop', 'IssuedLeafCertificate', 'told');
    expect([involvedObject.kind, type]).toEqual(['ServiceAccount', 'Normal']);
    expect(message).toContain(String(given?.['fingerprint']));
  });

  it('tells of a refusal on the ServiceAccount that was proved, with the reason', async () => {
    await cluster.kubectl(['create', 'serviceaccount', 'greedy', '-n', 'shop']);
    const { status } = await identity.certify(await identity.token('greedy'), 'greedy', { csrName: 'admin' });
    expect(status).not.toBe(0);
    const { involvedObject, message, type } = await eventOf('shop', 'LeafCertificateRefused', 'greedy');
    expect([involvedObject.kind, type]).toEqual(['ServiceAccount', 'Warning']);
    expect(message).toMatch(/^refused a certificate \(csr_refused\): .* expected exactly greedy\.shop/);
  });

  it('tells of a hundred refusals that prove nobody in one Event of the service, whose count is written now and then', async () => {
    await identity.certify('no token');
    await eventOf('kedge', 'LeafCertificateRefused', 'kedge-identity');
    const refused = (): Promise<ShownEvent[]> =>
      eventsOf('kedge', 'LeafCertificateRefused', 'kedge-identity');
    const before = await refused();
    const names = before.map(({ metadata }) => metadata.name);
    const counted = (): number =>
      identity.requests('events', ['patch']).filter(({ objectRef }) => names.includes(objectRef?.name ?? ''))
        .length;
    const patches = counted();
    const answers = await Promise.all(Array.from({ length: 100 }, () => identity.certify('no token')));
    for (const { status } of answers) expect(status).not.toBe(0);
    expect(await refused()).toHaveLength(before.length);
    // Once each half minute, by each of the two replicas that have refused something.
    expect(counted() - patches).toBeLessThanOrEqual(2 * before.length);
  }, 60_000);
}
