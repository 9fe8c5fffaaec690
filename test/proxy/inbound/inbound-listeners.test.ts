import { once } from 'node:events';
import { connect } from 'node:net';

import { TestCa } from '../../support/test-ca.ts';
import type { TestLeaf } from '../../support/test-ca.ts';
import { anyPort, api, fate, mesh, readAll, until, web } from '../transport/bench.ts';
import { apiLeaf, closedPort, expired, issuer, webLeaf } from '../transport/mesh.ts';
import { anyone, authz, meshed, named, opaque } from './answers.ts';
import { Pod } from './pod.ts';

const onlyWeb = authz(named([web.dnsName]));

describe('a connection to a port of the application', () => {
  it('by mesh TLS reaches the application as plain bytes, and each way ends on its own', async () => {
    await using pod = await Pod.start();
    pod.allow([onlyWeb]);
    const client = pod.meshed();
    client.end('question');
    await until(() => pod.reached.length === 1);
    expect(await readAll(pod.reached[0]!)).toBe('question');
    pod.reached[0]!.end('answer');
    expect(await readAll(client)).toBe('answer');
    await until(() => pod.observed.ends.length === 1);
    expect(pod.observed.ends).toEqual([{ reason: 'ended' }]);
    expect(pod.observed.decisions).toEqual([
      [
        'allow',
        {
          target: pod.app,
          tls: { tls: 'true', clientId: web.dnsName },
          server: { group: 'policy.linkerd.io', kind: 'server', name: 'api' },
          authorization: { group: 'policy.linkerd.io', kind: 'authorizationpolicy', name: 'rule' },
        },
      ],
    ]);
  });

  it('without TLS passes through unchanged where policy lets it', async () => {
    await using pod = await Pod.start();
    pod.allow([authz(anyone)]);
    const client = await pod.plain();
    client.end('plain text');
    await until(() => pod.reached.length === 1);
    expect(await readAll(pod.reached[0]!)).toBe('plain text');
    expect(pod.observed.decisions[0]?.[1].tls).toEqual({ tls: 'no_identity', reason: 'no_tls_from_remote' });
  });

  it('that ends before a byte has come counts as one without TLS', async () => {
    await using pod = await Pod.start();
    pod.allow([authz(anyone)]);
    const client = await pod.plain();
    client.end();
    await until(() => pod.reached.length === 1);
    expect(await fate(pod.reached[0]!)).toBe('end');
  });

  it('by TLS for another name passes through unchanged', async () => {
    await using pod = await Pod.start();
    pod.allow([authz(anyone)]);
    pod.meshed('none', { servername: 'shop.example' });
    await until(() => pod.reached.length === 1);
    const [hello] = (await once(pod.reached[0]!, 'data')) as [Buffer];
    expect(hello.subarray(0, 3).toString('hex')).toBe('160301');
    expect(pod.observed.decisions[0]?.[1].tls).toEqual({ tls: 'opaque', sni: 'shop.example' });
  });

  it('is not looked into where the port is opaque', async () => {
    await using pod = await Pod.start();
    pod.allow([authz(anyone)], opaque);
    pod.meshed();
    await until(() => pod.reached.length === 1);
    const [hello] = (await once(pod.reached[0]!, 'data')) as [Buffer];
    expect(hello.toString('latin1')).toContain(api.dnsName);
    expect(pod.observed.decisions[0]?.[1].tls).toEqual({ tls: 'no_identity', reason: 'port_skipped' });
  });

  it('may bring its ClientHello byte by byte', async () => {
    await using pod = await Pod.start();
    pod.allow([onlyWeb]);
    const trickle = await pod.serve((socket) => {
      const onward = pod.own(connect({ ...pod.forward, localAddress: '127.0.0.2', noDelay: true }));
      onward.pipe(socket);
      socket.once('data', (hello: Buffer) => {
        for (const byte of hello) onward.write(Buffer.of(byte));
        socket.pipe(onward);
      });
    });
    const client = pod.meshed(webLeaf, {}, trickle);
    client.end('bytes');
    await until(() => pod.reached.length === 1);
    expect(await readAll(pod.reached[0]!)).toBe('bytes');
  });

  it('is cut when the client says nothing until the detect timeout', async () => {
    await using pod = await Pod.start();
    pod.allow([authz(anyone)]);
    const client = await pod.plain();
    const end = fate(client);
    await until(() => pod.clock.pending === 1);
    await pod.clock.advance(9_999);
    expect(pod.observed.refusals).toEqual([]);
    await pod.clock.advance(1);
    expect(await end).toBe('ECONNRESET');
    expect(pod.observed.refusals).toEqual(['tls detection timeout']);
    expect(pod.log.withMessage('inbound connection refused')[0]?.fields).toMatchObject({
      code: 'inbound_detect_timeout',
      error: 'expected more within 10000 ms, got 0 bytes',
    });
  });

  it('is reset when the application does not listen', async () => {
    await using pod = await Pod.start();
    pod.allow([authz(anyone)]);
    const client = await pod.plain(await pod.inbound.forward(anyPort, await closedPort()));
    client.write('anybody?');
    expect(await fate(client)).toBe('ECONNRESET');
    expect(pod.observed.refusals).toEqual(['connect_refused']);
  });

  it('to the inbound port itself by way of a forward is refused as a loop', async () => {
    await using pod = await Pod.start();
    const loop = await pod.inbound.forward(anyPort, pod.direct);
    pod.own(connect(loop));
    await until(() => pod.observed.refusals.length === 1);
    expect(pod.observed.refusals).toEqual(['inbound_loop']);
  });
});

describe('a peer that is not let in', () => {
  const other = issuer.leaf({ identity: mesh.identity('shop', 'other') });

  it.each<[string, TestLeaf, string, object?]>([
    [
      'a certificate of another CA with the right name',
      TestCa.create().leaf({ identity: web }),
      'mesh_untrusted',
    ],
    ['an expired certificate', issuer.leaf({ identity: web, ...expired }), 'mesh_expired'],
    ['TLS 1.2', webLeaf, 'mesh_tls_version', { maxVersion: 'TLSv1.2' }],
    ['another identity', other, 'inbound_denied'],
  ])('with %s never reaches the application, and is counted', async (_what, leaf, reason, options = {}) => {
    await using pod = await Pod.start();
    pod.allow([onlyWeb]);
    const client = pod.meshed(leaf, options);
    client.write('let me in');
    expect(await fate(client)).toMatch(/ECONNRESET|EPROTO|PROTOCOL_VERSION/);
    await until(() => pod.observed.refusals.length === 1);
    expect(pod.observed.refusals).toEqual([reason]);
    expect(pod.reached).toEqual([]);
  });

  it('by mesh TLS without a certificate is denied where policy wants an identity', async () => {
    await using pod = await Pod.start();
    pod.allow([onlyWeb]);
    const client = pod.meshed('none');
    expect(await fate(client)).toBe('ECONNRESET');
    await until(() => pod.observed.refusals.length === 1);
    expect(pod.observed.decisions[0]).toMatchObject(['deny', { tls: { tls: 'true', clientId: undefined } }]);
    expect(pod.observed.refusals).toEqual(['inbound_denied']);
    expect(pod.log.withMessage('inbound connection refused')[0]?.fields['error']).toBe(
      `expected policy api to let a mesh client without an identity at 127.0.0.2 to 127.0.0.1:${pod.app.port} in, got no authorization that fits`,
    );
  });

  it.each([
    ['an identity', onlyWeb],
    ['mesh TLS', authz(meshed)],
  ])('without TLS is denied where policy wants %s', async (_what, rule) => {
    await using pod = await Pod.start();
    pod.allow([rule]);
    const client = await pod.plain();
    client.write('let me in');
    expect(await fate(client)).toBe('ECONNRESET');
    expect(pod.observed.decisions[0]?.[0]).toBe('deny');
    expect(pod.reached).toEqual([]);
  });

  it('is denied while the policy is invalid, be it from this host', async () => {
    await using pod = await Pod.start();
    pod.policy.set({ ...pod.policy.value, authorizations: [] });
    const client = await pod.connect(pod.forward);
    client.write('x');
    expect(await fate(client)).toBe('ECONNRESET');
  });
});

describe('a live connection', () => {
  it('is cut as soon as policy no longer lets it in', async () => {
    await using pod = await Pod.start();
    pod.allow([onlyWeb]);
    const client = pod.meshed();
    client.write('hello');
    await until(() => pod.reached.length === 1);
    pod.allow([authz(named(['somebody.else']))]);
    expect(await fate(client)).toBe('ECONNRESET');
    expect(await fate(pod.reached[0]!)).toBe('ECONNRESET');
    expect(pod.observed.decisions.map(([decision]) => decision)).toEqual(['allow', 'terminate']);
    await until(() => pod.observed.ends.length === 1);
    expect(pod.observed.ends).toEqual([{ reason: 'stopped' }]);
    await until(() => pod.log.withMessage('inbound connection cut').length === 1);
    expect(pod.log.withMessage('inbound connection cut')[0]?.fields).toMatchObject({
      code: 'inbound_terminated',
      error: `expected ${web.dnsName} at 127.0.0.2 to 127.0.0.1:${pod.app.port} to stay authorized, got a policy (api) that does not let it in`,
    });
  });

  it('goes on while a new policy lets it in by another rule', async () => {
    await using pod = await Pod.start();
    pod.allow([onlyWeb]);
    const client = pod.meshed();
    client.write('one');
    await until(() => pod.reached.length === 1);
    pod.allow([authz(meshed)]);
    pod.credentials.set(apiLeaf.credentials());
    client.end('two');
    expect(await readAll(pod.reached[0]!)).toBe('onetwo');
  });

  it('is given up when it is idle for too long', async () => {
    await using pod = await Pod.start({ idleTimeoutMs: 60_000 });
    pod.allow([authz(anyone)]);
    const client = await pod.plain();
    client.write('x');
    await until(() => pod.reached.length === 1);
    await once(pod.reached[0]!, 'data');
    const end = fate(client);
    await pod.clock.advance(120_000);
    expect(await end).toBe('ECONNRESET');
    await until(() => pod.observed.ends.length === 1);
    expect(pod.observed.ends).toEqual([{ reason: 'idle' }]);
  });
});

describe('the life of the listeners', () => {
  it('holds connections until there is a certificate', async () => {
    await using pod = await Pod.start({ credentials: undefined });
    pod.allow([authz(anyone)]);
    const client = await pod.plain();
    client.end('early');
    await pod.clock.advance(60_000);
    expect(pod.reached).toEqual([]);
    pod.credentials.set(apiLeaf.credentials());
    await until(() => pod.reached.length === 1);
    expect(await readAll(pod.reached[0]!)).toBe('early');
  });

  it('holds no more of them than it can bear', async () => {
    await using pod = await Pod.start({ credentials: undefined });
    for (let i = 0; i < 1024; i += 64) {
      await Promise.all(Array.from({ length: 64 }, () => pod.plain()));
    }
    expect(await fate(await pod.plain())).toBe('ECONNRESET');
    expect(pod.observed.refusals).toEqual(['inbound_not_ready']);
  });

  it('holds them no longer than two minutes', async () => {
    await using pod = await Pod.start({ credentials: undefined });
    const ended = fate(await pod.plain());
    await until(() => pod.clock.pending === 1);
    await pod.clock.advance(119_999);
    expect(pod.observed.refusals).toEqual([]);
    await pod.clock.advance(1);
    expect(await ended).toBe('ECONNRESET');
    expect(pod.observed.refusals).toEqual(['inbound_not_ready']);
    expect(pod.log.withMessage('inbound connection refused')[0]?.fields['error']).toBe(
      'expected the first certificate within 120000 ms, got none',
    );
  });

  it('lets go who has taken longest to say what they are, when very many do', async () => {
    await using pod = await Pod.start();
    const first = await pod.plain();
    const ended = fate(first);
    for (let i = 0; i < 4096; i += 64) {
      await Promise.all(Array.from({ length: 64 }, () => pod.plain()));
    }
    expect(await ended).toBe('ECONNRESET');
    await until(() => pod.observed.refusals.length > 0);
    expect(pod.observed.refusals).toEqual(['inbound_crowded_out']);
  });

  it('lets go, after a second, who has not said what they are while others wait for their places', async () => {
    await using pod = await Pod.start({ connections: 4 });
    pod.allow([authz(anyone)]);
    const first = await pod.plain();
    first.write('a');
    await until(() => pod.reached.length === 1);
    const silent = await Promise.all(Array.from({ length: 3 }, () => pod.plain()));
    const ends = Promise.all(silent.map(fate));
    // Three for their first bytes, and one for the accepting that pauses.
    await until(() => pod.clock.pending === 4);
    const late = await pod.plain();
    late.write('b');
    await pod.clock.advance(999);
    expect(pod.observed.refusals).toEqual([]);
    await pod.clock.advance(1);
    expect(await ends).toEqual(['ECONNRESET', 'ECONNRESET', 'ECONNRESET']);
    await until(() => pod.reached.length === 2);
    expect(pod.observed.refusals).toEqual(Array.from({ length: 3 }, () => 'inbound_crowded_out'));
    first.end('still here');
    expect(await readAll(pod.reached[0]!)).toBe('astill here');
  });

  it('counts nobody as silent who was let in', async () => {
    await using pod = await Pod.start();
    pod.allow([authz(anyone)]);
    const first = await pod.plain();
    first.write('a');
    await until(() => pod.reached.length === 1);
    const ended = fate(first);
    for (let i = 0; i < 4096; i += 64) {
      await Promise.all(Array.from({ length: 64 }, () => pod.plain()));
    }
    pod.reached[0]?.end('still here');
    first.end();
    expect(await ended).toBe('end');
  });

  it('waits for open connections, and cuts them at the deadline', async () => {
    await using pod = await Pod.start();
    pod.allow([authz(anyone)]);
    const [brief, long] = await Promise.all([pod.plain(), pod.plain()]);
    brief.write('a');
    long.write('b');
    await until(() => pod.reached.length === 2);
    const deadline = new AbortController();
    const closed = pod.inbound.close(deadline.signal);
    const ended = fate(brief);
    brief.end();
    for (const socket of pod.reached) socket.on('end', () => socket.end()).resume();
    expect(await ended).toBe('end');
    await until(() => pod.observed.ends.length === 1);
    deadline.abort();
    expect(await closed).toBe(1);
    expect(await fate(long)).toBe('ECONNRESET');
    await expect(pod.plain()).rejects.toThrow('ECONNREFUSED');
  });

  it('cuts connections that have not said what they are, and says why', async () => {
    await using pod = await Pod.start();
    const client = await pod.plain();
    await until(() => pod.clock.pending === 1);
    expect(await pod.inbound.close(AbortSignal.abort())).toBe(1);
    expect(await fate(client)).toBe('ECONNRESET');
    expect(pod.observed.refusals).toEqual(['inbound_shut_down']);
  });
});
