/** How many connections to a port the policy of a proxy let in, by the name of the rule, or denied. */
export interface Decisions {
  readonly allowed: Readonly<Record<string, number>>;
  readonly denied: number;
}

const line = /^inbound_tcp_authz_(?<decision>allow|deny)_total\{(?<labels>[^}]*)\} (?<count>\d+)/gm;

/** What the metrics of a proxy say of a port. */
export function decisionsAt(port: number, metrics: string): Decisions {
  const allowed: Record<string, number> = {};
  let denied = 0;
  for (const { groups } of metrics.matchAll(line)) {
    const labels = groups?.['labels'] ?? '';
    if (!labels.includes(`target_port="${port}"`)) continue;
    const count = Number(groups?.['count']);
    const name = /authz_name="([^"]*)"/.exec(labels)?.[1] ?? '';
    if (groups?.['decision'] === 'allow') allowed[name] = (allowed[name] ?? 0) + count;
    else denied += count;
  }
  return { allowed, denied };
}
