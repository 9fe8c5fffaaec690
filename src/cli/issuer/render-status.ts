import { formatDate, formatLength } from '../lifetime.ts';
import { printable, table, type Paint } from '../table.ts';
import type { MeshStatus } from './merge-status.ts';
import type { ReplicaStatus } from './read-status.ts';

/** The status for people: the replicas, then what happens and when if the CA stays away from now on. */
export function renderStatus(status: MeshStatus, now: Date, paint: Paint): string {
  const { workloads, firstExpiry, holdsUntil, expiries, replicas } = status;
  const header = ['REPLICA', 'ISSUER', 'BREAKER', 'SIGNS UNTIL', 'WORKLOADS', 'COUNTS SINCE'];
  const notes = replicas.flatMap((replica) => noteOf(replica, paint));
  const gone = workloads.quiet === 0 ? '' : `, and ${workloads.quiet} that did not come back to renew`;
  const lost = workloads.forgotten === 0 ? '' : `, and ${workloads.forgotten} that are counted no more`;
  const summary = [
    ['workloads', `${workloads.known}${gone}${lost}`],
    [
      'first one without a certificate',
      firstExpiry === undefined ? 'none known' : whenOf(firstExpiry.at, now),
    ],
    ...(firstExpiry === undefined ? [] : [['', printable(firstExpiry.identity)]]),
    ['all that renew in time hold until', holdsUntil === undefined ? 'unknown' : whenOf(holdsUntil, now)],
  ];
  return [
    table(
      replicas.map((replica) => rowOf(replica, paint)),
      { header },
    ),
    ...(notes.length === 0 ? [] : [notes.map((note) => `${note}\n`).join('')]),
    `${paint.strong('If the CA stays away from now on')}\n${table(summary, { indent: 2 })}`,
    table(
      expiries.map(({ within, workloads: count }) => [within, String(count)]),
      { header: ['WITHIN', 'WORKLOADS WITHOUT A CERTIFICATE'], indent: 2 },
    ),
  ].join('\n');
}

function rowOf({ replica, status }: ReplicaStatus, paint: Paint): string[] {
  const name = printable(replica);
  if (status === undefined) return [name, paint.bad('no answer')];
  const { state, breaker, until } = status.issuer;
  return [
    name,
    state === 'ready' ? paint.good(state) : paint.bad(state),
    breaker ?? '-',
    until === undefined ? '-' : formatDate(new Date(until)),
    String(status.workloads.known),
    formatDate(new Date(status.workloads.since)),
  ];
}

function noteOf({ replica, status, problem }: ReplicaStatus, paint: Paint): string[] {
  const say = (text: string): string => `${printable(replica)}: ${printable(text)}`;
  if (status === undefined) return [paint.bad(say(problem ?? 'no answer'))];
  const { since, reason, standIn, degraded, until } = status.issuer;
  const during = since === undefined ? '' : ` since ${formatDate(new Date(since))}`;
  return [
    ...(reason === undefined ? [] : [paint.bad(say(`the CA does not answer${during}: ${reason}`))]),
    ...(standIn === undefined || until === undefined
      ? []
      : [say(`${standIn} stands in for it until ${formatDate(new Date(until))}`)]),
    ...(degraded === undefined ? [] : [say(degraded)]),
  ];
}

function whenOf(iso: string, now: Date): string {
  const at = new Date(iso);
  const ms = at.getTime() - now.getTime();
  return `${formatDate(at)} (${ms < 0 ? `${formatLength(ms)} ago` : `in ${formatLength(ms)}`})`;
}
