import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { TestCa } from '../support/test-ca.ts';

const main = path.join(import.meta.dirname, '..', '..', 'src', 'proxy', 'main.ts');

const children: ChildProcess[] = [];

/** The process of a test, ended with it if the test did not end it. */
function start(
  env: Record<string, string>,
): ChildProcess & { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream } {
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

const control = '127.0.0.1:1';
const name = 'web.shop.serviceaccount.identity.kedge.cluster.local';

/** A control plane that is not there: the proxy must live without it. */
function settings(directory: TemporaryDirectory): Record<string, string> {
  directory.write({ token: 'a token' });
  return {
    LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS: TestCa.create().bundle.pem,
    LINKERD2_PROXY_IDENTITY_LOCAL_NAME: name,
    LINKERD2_PROXY_IDENTITY_TOKEN_FILE: directory.file('token'),
    LINKERD2_PROXY_IDENTITY_SVC_ADDR: control,
    LINKERD2_PROXY_IDENTITY_SVC_NAME: name,
    LINKERD2_PROXY_DESTINATION_SVC_ADDR: control,
    LINKERD2_PROXY_POLICY_SVC_ADDR: control,
    LINKERD2_PROXY_POLICY_WORKLOAD: '{"ns":"shop","pod":"web-0"}',
    LINKERD2_PROXY_ADMIN_LISTEN_ADDR: '127.0.0.1:0',
    LINKERD2_PROXY_INBOUND_LISTEN_ADDR: '127.0.0.1:0',
    LINKERD2_PROXY_OUTBOUND_LISTEN_ADDR: '127.0.0.1:0',
    LINKERD2_PROXY_SHUTDOWN_GRACE_PERIOD: '1s',
  };
}

interface Listening {
  readonly admin: { readonly host: string; readonly port: number };
  readonly identity: string;
}

/** The first line of a log that holds this, read; the rest is let go. */
async function lineWith(log: NodeJS.ReadableStream, what: string): Promise<Listening> {
  for await (const line of createInterface(log)) {
    if (!line.includes(what)) continue;
    log.resume();
    return JSON.parse(line) as Listening;
  }
  throw new Error(`expected a line with ${what}, got the end of the log`);
}

describe('the process of the proxy', () => {
  it('ends with 64 and a line for each problem of its environment', async () => {
    const child = start({ LINKERD2_PROXY_INBOUND_CONNECT_TIMEOUT: '1h0m0s' });
    const [lines, [code]] = await Promise.all([text(child.stderr), once(child, 'exit') as Promise<[number]>]);
    expect(code).toBe(64);
    expect(
      lines
        .trim()
        .split('\n')
        .map((line) => line.split(':')[0]),
    ).toEqual([
      'LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS',
      'LINKERD2_PROXY_IDENTITY_TOKEN_FILE',
      'LINKERD2_PROXY_IDENTITY_SVC_ADDR',
      'LINKERD2_PROXY_DESTINATION_SVC_ADDR',
      'LINKERD2_PROXY_POLICY_SVC_ADDR',
      'LINKERD2_PROXY_POLICY_WORKLOAD',
      'LINKERD2_PROXY_INBOUND_CONNECT_TIMEOUT',
      'LINKERD2_PROXY_IDENTITY_LOCAL_NAME',
    ]);
  });

  it('lives without a control plane, says that it is not ready, and ends with 0 when told to', async () => {
    using directory = new TemporaryDirectory();
    const child = start(settings(directory));
    const listening = await lineWith(child.stdout, '"listening"');
    expect(listening.identity).toBe(name);
    const page = connect(listening.admin);
    page.write('GET /ready HTTP/1.1\r\nhost: proxy\r\n\r\n');
    expect(await text(page)).toMatch(/^HTTP\/1\.1 503 .*waiting: first-certificate: (not yet|none yet: )/s);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
