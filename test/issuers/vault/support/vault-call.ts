import { request, type RequestOptions } from 'node:https';

export interface VaultCallOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'LIST';
  readonly body?: unknown;
  readonly token?: string;
}

export interface VaultReply {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** One request to a server of the Vault API, made without any code of Kedge. POST where there is a body, unless told. */
export function callVault(
  url: string,
  { body, token, method = body === undefined ? 'GET' : 'POST' }: VaultCallOptions,
  tls: RequestOptions,
): Promise<VaultReply> {
  return new Promise((resolve, reject) => {
    const headers = { ...(token !== undefined && { 'X-Vault-Token': token }) };
    const sent = request(url, { method, headers, agent: false, ...tls }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.once('error', reject).once('end', () => {
        const content = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
        resolve({ status: answer.statusCode ?? 0, body: content });
      });
    });
    sent.once('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
