import type { BehaviourName } from '../behaviours.ts';

const own = 'no CA is asked, as its key is at hand';

/** What an issuer with its CA's key beside it cannot show. */
export const withoutCa = {
  'takes a shorter life by the rules of the CA, and says so': own,
  'waits for a silent CA no longer than its deadline, and has the workload come back': own,
  'gives up a request at once when the workload has gone, and leaves none behind at the CA': own,
  'has the workload come back while the CA is away, and signs again by itself once it is there': own,
  'throws a wrong answer away, counts it by its rule, and tells the log alone what was wrong':
    'it signs by itself, as asked',
} as const satisfies Partial<Record<BehaviourName, string>>;

export const withoutLogin = {
  'logs in again when its log-in no longer counts': 'nobody is logged in to',
} as const satisfies Partial<Record<BehaviourName, string>>;
