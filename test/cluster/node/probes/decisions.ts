/** How many connections to a port the policy of a proxy let in, by the name of the rule, denied, or cut later on. */
export interface Decisions {
  readonly allowed: Readonly<Record<string, number>>;
  readonly denied: number;
  readonly cut: number;
}

const line = /^inbound_tcp_authz_(?<decision>allow|deny|terminate)_total\{(?<labels>[^}]*)\} (?<count>\d+)/gm;

/** What the metrics of a proxy, or of several, say of a port. */
export function decisionsAt(port: number, metrics: string): Decisions {
  const allowed: Record<string, number> = {};
  const others: Record<string, number> = {};
  for (const { groups } of metrics.matchAll(line)) {
    const { decision = '', labels = '', count } = groups ?? {};
    if (!labels.includes(`target_port="${port}"`)) continue;
    const name = /authz_name="([^"]*)"/.exec(labels)?.[1] ?? '';
    if (decision === 'allow') allowed[name] = (allowed[name] ?? 0) + Number(count);
    else others[decision] = (others[decision] ?? 0) + Number(count);
  }
  return { allowed, denied: others['deny'] ?? 0, cut: others['terminate'] ?? 0 };
}
