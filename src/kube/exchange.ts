import { request as httpRequest } from 'node:http';
import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { constants } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { errorCode } from '../runtime/errors.ts';
import type { Access } from './access.ts';
import { kubeErrors } from './errors.ts';
import type { Answer, Question } from './question.ts';

/**
 * Sends one request; resolves when the head of the answer is there. What has a body to send is small, and so is its
 * answer: it goes with others on one connection, where lists and watches would be in their way.
 */
export async function exchange(
  { server, agent, shared, headers }: Access,
  question: Question,
  signal: AbortSignal,
): Promise<Answer> {
  signal.throwIfAborted();
  const whole = {
    ...question,
    path: `${server.pathname.replace(/\/$/, '')}${question.path}`,
    headers: { ...headers, ...question.headers },
  };
  const answer = question.body === undefined ? undefined : await shared?.exchange(whole, signal);
  if (answer !== undefined) return answer;
  const first = begin(server, agent, whole);
  try {
    return await answered(first, signal);
  } catch (error) {
    // The API server closed an idle connection in the moment it was taken up again: it has seen nothing of this.
    if (signal.aborted || !first.reusedSocket || errorCode(error) !== 'ECONNRESET') throw error;
    return await answered(begin(server, agent, whole), signal);
  }
}

function begin(server: URL, agent: Agent, { method, path, headers, body }: Question): ClientRequest {
  const length = body !== undefined && { 'content-length': Buffer.byteLength(body) };
  const request = (server.protocol === 'http:' ? httpRequest : httpsRequest)(server, {
    ...{ agent, method, path },
    headers: { ...headers, ...length },
  });
  request.end(body);
  return request;
}

function answered(request: ClientRequest, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    const abort = (): void => void (answer ?? request).destroy(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    // Stays for what comes later: what goes wrong with the body is told by the reading of it.
    request.on('error', reject);
    request.once('close', () => signal.removeEventListener('abort', abort));
    request.once('response', (response) => {
      answer = response;
      const { statusCode: status = 0, headers } = response;
      resolve({ status, retryAfter: headers['retry-after'], body: response });
    });
  });
}

/** The body as text; gives up beyond `maxBytes`. */
export function readBody(body: Readable, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    body.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes <= maxBytes) return;
      const message = `expected an answer of at most ${maxBytes} bytes, got more`;
      body.destroy(kubeErrors.error('kube_answer_too_large', message));
    });
    const closed = (): void => reject(body.errored ?? new Error('the connection was closed'));
    body.once('end', () => {
      if (isWhole(body)) resolve(Buffer.concat(chunks).toString('utf8'));
      else closed();
    });
    body.once('error', reject);
    body.once('close', closed);
    if (body.destroyed) closed();
  });
}

/** A stream of HTTP/2 that is cut short, as when the API server is killed, ends as any other does, but for its code. */
function isWhole(body: Readable): boolean {
  return !('rstCode' in body) || body.rstCode === constants.NGHTTP2_NO_ERROR;
}
