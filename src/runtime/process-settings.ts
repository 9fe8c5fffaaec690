import { logLevels } from './log.ts';
import { duration, oneOf } from './settings.ts';

/** Settings that every control-plane process has; each spreads them into its own table. */
export const processSettings = {
  logLevel: oneOf({
    name: 'KEDGE_LOG_LEVEL',
    help: 'The least severe level that is logged.',
    values: logLevels,
    fallback: 'info',
  }),
  shutdownGracePeriod: duration({
    name: 'KEDGE_SHUTDOWN_GRACE_PERIOD',
    help: 'How long open work may go on after SIGTERM; less than the pod’s terminationGracePeriodSeconds.',
    fallback: '25s',
  }),
} as const;
