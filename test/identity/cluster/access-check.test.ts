import { awaitAccess, checkAccess, type Right } from '../../../src/identity/cluster/access-check.ts';
import { kubeErrors } from '../../../src/kube/errors.ts';
import { secrets, tokenReviews } from '../../../src/kube/resources.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryKube } from '../../support/memory-kube.ts';
import { refusalOf } from '../../support/refusal.ts';

const signal = new AbortController().signal;
const rights: Right[] = [
  { verb: 'create', resource: tokenReviews },
  { verb: 'get', resource: secrets, namespace: 'kedge', name: 'kedge-issuer' },
  { verb: 'list', resource: secrets },
];

/** Allows the verbs that it is given. */
function allowing(...verbs: string[]): MemoryKube {
  const kube = new MemoryKube();
  kube.answer = ({ object }) => {
    const { verb } = (object as { spec: { resourceAttributes: { verb: string } } }).spec.resourceAttributes;
    return { metadata: { name: '' }, status: { allowed: verbs.includes(verb) } };
  };
  return kube;
}

describe('checkAccess', () => {
  it('asks about each right as the API server judges it', async () => {
    const kube = allowing('create', 'get', 'list');
    await checkAccess(rights, kube, signal);
    expect(kube.calls.map(({ object }) => (object as { spec: unknown }).spec)).toEqual([
      {
        resourceAttributes: {
          ...{ verb: 'create', group: 'authentication.k8s.io', version: 'v1', resource: 'tokenreviews' },
        },
      },
      {
        resourceAttributes: {
          ...{ verb: 'get', group: '', version: 'v1', resource: 'secrets' },
          ...{ namespace: 'kedge', name: 'kedge-issuer' },
        },
      },
      { resourceAttributes: { verb: 'list', group: '', version: 'v1', resource: 'secrets' } },
    ]);
  });

  it('names every right that is missing', async () => {
    expect(await refusalOf(checkAccess(rights, allowing(), signal))).toBe(
      'access_missing: expected the right to create tokenreviews.authentication.k8s.io, to get secrets "kedge-issuer" in the namespace kedge, to list secrets in all namespaces, found it is not given',
    );
  });
});

describe('awaitAccess', () => {
  it('tells once what it waits for, and goes on when it is given', async () => {
    const clock = new ManualClock();
    const log = new LogCapture();
    const reasons: string[] = [];
    const kube = allowing('create', 'get');
    const { answer } = allowing('create', 'get', 'list');
    const waiting = (reason: string): void => void reasons.push(reason);
    const given = awaitAccess(rights, { client: kube, clock, log, waiting }, signal);
    await clock.advance(60_000);
    expect(new Set(reasons)).toEqual(
      new Set(['expected the right to list secrets in all namespaces, found it is not given']),
    );
    expect(log.withMessage('waiting for access to the API server')).toHaveLength(1);
    kube.before = () => {
      throw kubeErrors.error('kube_unreachable', 'away');
    };
    await clock.advance(60_000);
    expect(reasons.at(-1)).toBe('away');
    kube.before = () => undefined;
    kube.answer = answer;
    await clock.advance(60_000);
    await given;
  });
});
