import { request as plainRequest, type Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { errorCode } from '../../runtime/errors.ts';
import { vaultErrors } from './errors.ts';

/** Far more than a certificate with its chain, or a log-in, comes to. */
const maxAnswerBytes = 1024 * 1024;

export interface HttpsExchange {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body: unknown;
  readonly agent: HttpAgent;
  /** Ends the exchange, and with it the connection. */
  readonly signal: AbortSignal;
}

export interface HttpsAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/**
 * One request and its whole answer, of at most a megabyte, whatever its status. Redirects are answers like any other, proxies of the
 * environment are not asked. Tried once more where a connection that was kept turns out to have been closed meanwhile.
 */
export async function exchange(options: HttpsExchange): Promise<HttpsAnswer> {
  for (;;) {
    const sent = send(options);
    try {
      return await answered(await sent.response);
    } catch (error) {
      if (!sent.reused() || sent.begun() || errorCode(error) !== 'ECONNRESET') throw error;
      options.signal.throwIfAborted();
    }
  }
}

interface Sent {
  readonly response: Promise<IncomingMessage>;
  /** Whether it went over a connection that had been used before. */
  readonly reused: () => boolean;
  readonly begun: () => boolean;
}

function send({ method, url, headers, body, agent, signal }: HttpsExchange): Sent {
  const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const length = content && { 'Content-Type': 'application/json', 'Content-Length': content.length };
  const request = url.protocol === 'https:' ? tlsRequest : plainRequest;
  const client = request(url, {
    method,
    headers: { Accept: 'application/json', ...headers, ...length },
    agent,
    signal,
  });
  let begun = false;
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    client.once('response', (incoming) => {
      begun = true;
      resolve(incoming);
    });
    client.on('error', (error) => reject(signal.aborted ? (signal.reason as Error) : error));
  });
  client.end(content);
  return { response, reused: () => client.reusedSocket, begun: () => begun };
}

async function answered(response: IncomingMessage): Promise<HttpsAnswer> {
  const { statusCode: status = 0, headers } = response;
  const chunks: Buffer[] = [];
  let size = Number(headers['content-length'] ?? 0);
  if (size <= maxAnswerBytes) size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxAnswerBytes) break;
      chunks.push(chunk);
    }
  } catch (error) {
    const message = `expected a whole answer, got ${Buffer.concat(chunks).length} bytes and an end (${errorCode(error) ?? 'unknown'})`;
    throw vaultErrors.error('vault_answer_incomplete', message, { cause: error });
  }
  // Leaving the loop early has ended the connection.
  if (size > maxAnswerBytes) {
    throw vaultErrors.error('vault_answer_too_large', `expected at most ${maxAnswerBytes} bytes, got more`);
  }
  return { status, headers, text: Buffer.concat(chunks).toString('utf8') };
}
