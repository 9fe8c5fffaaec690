import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import path from 'node:path';
import { TestCa } from '../support/test-ca.ts';
import { eventually } from '../support/eventually.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

const main = path.join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');

describe('kedge certify, ended in its midst', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('leaves nothing behind after %s', async (signal) => {
    using directory = new TemporaryDirectory();
    mkdirSync(directory.file('tmp'));
    // A Vault that takes every request and answers none: what holds a connection to it is the identity process.
    const held = new Set<Socket>();
    const vault = createServer((socket) => {
      held.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => held.delete(socket))
        .resume();
    });
    vault.listen(0, '127.0.0.1');
    await once(vault, 'listening');
    directory.write({
      'anchors.pem': TestCa.create().anchor.pem,
      token: 'hvs.given\n',
      'identity.env': `
        KEDGE_ISSUER=vault
        KEDGE_VAULT_ADDR=http://127.0.0.1:${(vault.address() as AddressInfo).port}
        KEDGE_VAULT_ALLOW_PLAINTEXT=true
        KEDGE_VAULT_AUTH=token-file
        KEDGE_VAULT_TOKEN_FILE=${directory.file('token')}
        KEDGE_TRUST_ANCHORS_FILE=${directory.file('anchors.pem')}
        KEDGE_ISSUER_TIMEOUT=60s`,
    });
    const program = spawn(process.execPath, [main, 'certify', directory.file('identity.env')], {
      env: { TMPDIR: directory.file('tmp') },
    });
    let text = '';
    for (const stream of [program.stdout, program.stderr])
      stream.on('data', (part: Buffer) => (text += part.toString()));
    try {
      const left = (): string[] => readdirSync(directory.file('tmp'));
      await eventually(() => expect([held.size > 0, left().length, text]).toEqual([true, 1, '']));
      program.kill(signal);
      const [code] = (await once(program, 'exit')) as [number | null];
      expect([code, text]).toEqual([1, expect.stringContaining('got a signal to end')]);
      expect(left()).toEqual([]);
      await eventually(() => expect(held.size).toBe(0));
    } finally {
      program.kill('SIGKILL');
      for (const socket of held) socket.destroy();
      vault.close();
    }
  });
});
