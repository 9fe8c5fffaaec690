/** Whether keys fetched from there can be believed: over TLS, from this machine, or from a host that was named. */
export function isTrustedPath(url: URL, httpHosts: readonly string[]): boolean {
  return url.protocol === 'https:' || isLoopback(url.hostname) || httpHosts.includes(url.hostname);
}

/** `URL` has brought IPv4 addresses into four decimal numbers and IPv6 ones into brackets. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}
