const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const maxNameLength = 253;

/** A DNS label as Kubernetes takes it for a name (RFC 1123): lower case, at most 63 characters. */
export function isDnsLabel(text: string): boolean {
  return label.test(text);
}

/** A DNS name of labels as above, at most 253 characters, without a dot at its end. */
export function isDnsName(text: string): boolean {
  return text.length <= maxNameLength && text.split('.').every(isDnsLabel);
}
