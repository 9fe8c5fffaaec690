/** One line of the API server's audit log (audit.k8s.io/v1), as far as tests look at it. */
export interface AuditEvent {
  readonly stage: 'ResponseStarted' | 'ResponseComplete' | 'Panic';
  /** When it came to this stage, in ISO 8601. */
  readonly stageTimestamp: string;
  readonly requestURI: string;
  /** `get`, `list`, `watch`, `create` ... */
  readonly verb: string;
  readonly user: { readonly username: string; readonly groups?: readonly string[] };
  readonly userAgent?: string;
  /** Missing for what is no object, such as /readyz. */
  readonly objectRef?: {
    readonly resource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly apiGroup?: string;
    readonly apiVersion?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code?: number };
}

/** The whole events of a log's text; the last line may be half written. */
export function readAuditEvents(text: string): AuditEvent[] {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEvent);
}
