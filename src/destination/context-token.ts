/** What a proxy says of itself in `context_token` (contract 4.3). A claim, used only to prefer nearby endpoints. */
export interface ClientContext {
  readonly namespace?: string;
  readonly nodeName?: string;
  readonly pod?: string;
}

const MAX_LENGTH = 4096;

/**
 * Reads the token: a JSON object with `ns`, `nodeName` and `pod`, each optional and surrounded by any white space,
 * or the older `ns:<namespace>`. Anything else says nothing of the client, and is never an error.
 */
export function parseContextToken(token: string): ClientContext {
  const text = token.trim();
  if (text === '' || text.length > MAX_LENGTH) return {};
  if (text.startsWith('ns:')) return text.length > 3 ? { namespace: text.slice(3) } : {};
  const value = parseObject(text);
  return {
    ...named('namespace', value['ns']),
    ...named('nodeName', value['nodeName']),
    ...named('pod', value['pod']),
  };
}

function named<K extends string>(key: K, value: unknown): Partial<Record<K, string>> {
  return typeof value === 'string' && value !== '' ? ({ [key]: value } as Record<K, string>) : {};
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
