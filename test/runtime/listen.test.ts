import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';
import { closeServer, listen } from '../../src/runtime/listen.ts';

describe('listen', () => {
  it('resolves with the address that was bound', async () => {
    const server = createServer();
    const address = await listen(server, { host: '127.0.0.1', port: 0 });
    expect(address.host).toBe('127.0.0.1');
    expect(address.port).toBeGreaterThan(0);
    expect(server.listenerCount('error')).toBe(0);
    await closeServer(server, AbortSignal.abort());
  });

  it('says which address is in use', async () => {
    const first = createServer();
    const address = await listen(first, { host: '127.0.0.1', port: 0 });
    await expect(listen(createServer(), address)).rejects.toMatchObject({
      code: 'address_in_use',
      message: `expected 127.0.0.1:${address.port} to be free, but it is in use`,
    });
    await closeServer(first, AbortSignal.abort());
  });

  it('says which address is not this machine’s', async () => {
    await expect(listen(createServer(), { host: '192.0.2.1', port: 0 })).rejects.toMatchObject({
      code: 'address_not_available',
      message: expect.stringMatching(/^expected an address of this machine, got 192\.0\.2\.1:0: /) as string,
    });
  });
});

describe('closeServer', () => {
  it('waits for open connections and accepts no more', async () => {
    const server = createServer();
    const { host, port } = await listen(server, { host: '127.0.0.1', port: 0 });
    const client = connect(port, host);
    await once(server, 'connection');
    let closed = false;
    const closing = closeServer(server, new AbortController().signal).then(() => {
      closed = true;
    });
    const [refusal] = (await once(connect(port, host), 'error')) as [NodeJS.ErrnoException];
    expect(refusal.code).toBe('ECONNREFUSED');
    expect(closed).toBe(false);
    client.destroy();
    await closing;
  });

  it('cuts the connections of an HTTP server at the deadline', async () => {
    const server = createHttpServer();
    const { host, port } = await listen(server, { host: '127.0.0.1', port: 0 });
    const client = connect(port, host);
    client.write('GET / HTTP/1.1\r\n');
    await once(server, 'connection');
    const deadline = new AbortController();
    const closing = closeServer(server, deadline.signal);
    deadline.abort();
    await closing;
    client.destroy();
  });

  it('resolves for a server that never listened', async () => {
    await expect(closeServer(createServer(), new AbortController().signal)).resolves.toBeUndefined();
  });
});
