import type { Counter, Histogram, Metrics } from '../../runtime/metrics.ts';

/** Seconds; a review takes a few milliseconds where the API server is at leisure. */
const durationBuckets = [0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2, 5];

export interface TokenReviewMetrics {
  readonly standings: Counter<'standing'>;
  readonly reviews: Counter<'result'>;
  readonly seconds: Histogram<'result'>;
}

export function tokenReviewMetrics(metrics: Metrics): TokenReviewMetrics {
  return {
    standings: metrics.counter(
      'kedge_identity_token_prechecks_total',
      'Tokens by what was known of them before the API server was asked (signed, doubtful, unknown, refused).',
      ['standing'],
    ),
    reviews: metrics.counter(
      'kedge_identity_token_reviews_total',
      'Token reviews by result (authenticated, refused, unavailable, cancelled).',
      ['result'],
    ),
    seconds: metrics.histogram(
      'kedge_identity_token_review_seconds',
      'Time from a token to the word of the API server on it, by result; waiting for a turn is part of it.',
      ['result'],
      durationBuckets,
    ),
  };
}
