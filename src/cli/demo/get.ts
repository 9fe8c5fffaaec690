import { text } from 'node:stream/consumers';
import http from 'node:http';

export interface GetOptions {
  /** The address to come from; the system's choice unless told. */
  localAddress?: string;
  /** How long the connection may be silent; 10 s unless told. */
  timeoutMs?: number;
}

/** What an HTTP server on a local port answers to a GET, whatever its status; rejects when the connection breaks. */
export function get(
  port: number,
  path: string,
  { timeoutMs = 10_000, ...from }: GetOptions = {},
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = http.get(
      { host: '127.0.0.1', port, path, agent: false, timeout: timeoutMs, ...from },
      (response) => {
        text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      },
    );
    request.on('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    request.on('error', reject);
  });
}
