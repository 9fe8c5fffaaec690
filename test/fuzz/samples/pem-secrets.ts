/** Pieces of a PEM text that would give away what is inside its blocks. */
export function secretsOf(pem: string): string[] {
  const inside = pem.split('\n').filter((line) => !line.startsWith('-----'));
  return inside.join('\n').match(/[A-Za-z0-9+/]{24}/g) ?? [];
}
