// Asks a pod over HTTP, bytes and gRPC, with one connection for each, and prints its Answers.
// Usage: neighbour ADDRESS
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';

/** What came back over each protocol: what the application said, or why nothing did. */
export type Answers = Record<'http' | 'tcp' | 'grpc', string>;

const noAnswerMs = 20_000;

function overHttp(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = http.get({ host, port: 8080, agent: false, timeout: noAnswerMs }, (answer) => {
      answer.setEncoding('utf8').once('data', resolve);
    });
    call.once('timeout', () => call.destroy(new Error('no answer')));
    call.once('error', reject);
  });
}

function overTcp(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port: 8081, timeout: noAnswerMs }, () => socket.write('answered'));
    socket.setEncoding('utf8').once('data', (text: string) => {
      socket.destroy();
      resolve(text);
    });
    socket.once('timeout', () => socket.destroy(new Error('no answer')));
    socket.once('error', reject);
    socket.once('end', () => reject(new Error('ended')));
  });
}

function overGrpc(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`http://${host}:8082`);
    session.once('error', reject);
    session.setTimeout(noAnswerMs, () => session.destroy(new Error('no answer')));
    const call = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
    });
    call.once('error', reject);
    call.once('trailers', (trailers) => {
      session.close();
      resolve(trailers['grpc-status'] === '0' ? 'answered' : 'failed');
    });
    call.resume();
    call.end(Buffer.alloc(5));
  });
}

function reason(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

const [, , host = ''] = process.argv;
const answers: Answers = {
  http: await overHttp(host).catch(reason),
  tcp: await overTcp(host).catch(reason),
  grpc: await overGrpc(host).catch(reason),
};
process.stdout.write(`${JSON.stringify(answers)}\n`);
