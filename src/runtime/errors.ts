/** What went wrong in general; `rpc/status.ts` maps each kind to one gRPC status. */
export type ErrorKind = (typeof errorKinds)[number];

const errorKinds = [
  'invalid_argument',
  'deadline_exceeded',
  'not_found',
  'permission_denied',
  'resource_exhausted',
  'failed_precondition',
  'internal',
  'unavailable',
  'unauthenticated',
  'cancelled',
] as const;

/** One error code: its kind, and what the operator who meets it should do (docs/errors.md is made from this). */
export interface ErrorEntry {
  readonly kind: ErrorKind;
  readonly help: string;
}

export interface ErrorOptions {
  readonly cause?: unknown;
  /** Milliseconds after which trying again makes sense. */
  readonly retryAfterMs?: number;
}

/** An error with a stable code. Messages say what was expected, what came and what to do, and never hold a secret. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: string;
  readonly kind: ErrorKind;
  readonly retryAfterMs: number | undefined;

  constructor(code: string, kind: ErrorKind, message: string, options: ErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The error codes of one folder, and the way to make an error with one of them. */
export interface ErrorCatalogue<C extends Readonly<Record<string, ErrorEntry>>> {
  readonly codes: C;
  error(code: keyof C & string, message: string, options?: ErrorOptions): AppError;
}

export function errorCatalogue<const C extends Readonly<Record<string, ErrorEntry>>>(
  codes: C,
): ErrorCatalogue<C> {
  return {
    codes,
    error: (code, message, options) => new AppError(code, entryOf(codes, code).kind, message, options),
  };
}

function entryOf(codes: Readonly<Record<string, ErrorEntry>>, code: string): ErrorEntry {
  const entry = codes[code];
  if (entry === undefined) throw new TypeError(`expected a code of the catalogue, got ${code}`);
  return entry;
}

/** Structural, because an error made in another realm (a jest sandbox, a worker) fails `instanceof`. */
export function isAppError(error: unknown): error is AppError {
  if (!Error.isError(error)) return false;
  const { code, kind } = error as Partial<AppError>;
  return typeof code === 'string' && errorKinds.some((known) => known === kind);
}

/** The message of an error; for anything else that was thrown, a text that is safe to print. */
export function errorMessage(error: unknown): string {
  if (typeof error === 'string') return error;
  if (!Error.isError(error)) return `a thrown ${error === null ? 'null' : typeof error}`;
  // A failed connect to a name with several addresses is an AggregateError with a code and an empty message.
  return error.message !== '' ? error.message : (errorCode(error) ?? error.name);
}

/** The `code` of an error (ours, or Node's like `ENOENT`), if it has one. */
export function errorCode(error: unknown): string | undefined {
  if (!Error.isError(error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
