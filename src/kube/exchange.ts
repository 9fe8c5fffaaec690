import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { errorCode } from '../runtime/errors.ts';
import type { Access } from './access.ts';
import { kubeErrors } from './errors.ts';

export interface Question {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** Sends one request; resolves when the head of the answer is there, whose body the caller has to read or destroy. */
export async function exchange(
  access: Access,
  question: Question,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  signal.throwIfAborted();
  const first = begin(access, question);
  try {
    return await answered(first, signal);
  } catch (error) {
    // The API server closed an idle connection in the moment it was taken up again: it has seen nothing of this.
    if (signal.aborted || !first.reusedSocket || errorCode(error) !== 'ECONNRESET') throw error;
    return await answered(begin(access, question), signal);
  }
}

function begin({ server, agent, headers }: Access, question: Question): ClientRequest {
  const { body } = question;
  const request = (server.protocol === 'http:' ? httpRequest : httpsRequest)(server, {
    agent,
    method: question.method,
    path: `${server.pathname.replace(/\/$/, '')}${question.path}`,
    headers: {
      ...headers,
      ...question.headers,
      ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
    },
  });
  request.end(body);
  return request;
}

function answered(request: ClientRequest, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    const abort = (): void => void (answer ?? request).destroy(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    // Stays for what comes later: what goes wrong with the body is told by the reading of it.
    request.on('error', reject);
    request.once('close', () => signal.removeEventListener('abort', abort));
    request.once('response', (response) => {
      answer = response;
      resolve(response);
    });
  });
}

/** The body as text; gives up beyond `maxBytes`. */
export async function readBody(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      const message = `expected an answer of at most ${maxBytes} bytes, got more`;
      throw kubeErrors.error('kube_answer_too_large', message);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
