import type { Reason } from './reasons.ts';

/**
 * Every way a request can fail that a person can act on. The code is stable: hosts, tests and the
 * interface match on it, never on words.
 */
export const ERROR_CODES = [
  /** A field of the request is wrong; `field` names it. */
  'invalid-request',
  /** The named model is not installed. */
  'model-not-found',
  /** The model lacks a network that this needs. */
  'network-missing',
  /** A bundle's files do not match its manifest. */
  'bundle-damaged',
  /** A checkpoint cannot be read, or is not of a kind we know. */
  'checkpoint-unreadable',
  /** A picture cannot be read. */
  'picture-unreadable',
  /** A picture, job or board that is asked for is not there any more. */
  'not-found',
  /** The library cannot be opened for writing: newer, locked, read-only or damaged. */
  'library-unavailable',
  /** A file or folder is missing, or may not be read or written. */
  'file-unavailable',
  'disk-full',
  /** The engine process ended in the middle of the work. */
  'engine-crashed',
  'out-of-memory',
  /** The studio itself ended in the middle of a job, more than once. */
  'studio-crashed',
  'cancelled',
  /** A bug of ours. */
  'internal',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** The form of an error that crosses a process boundary. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly field?: string;
  readonly reason?: Reason;
  readonly stack?: string;
}

/**
 * A failure with a stable code and a message for people: what happened, what is safe, what to do
 * next, in one or two sentences.
 */
export class StudioError extends Error {
  override readonly name = 'StudioError';
  readonly code: ErrorCode;
  /** The request's field that is at fault, for `invalid-request`. */
  readonly field: string | undefined;
  /** What the message says as a code and values, where an interface has words for it. */
  readonly reason: Reason | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options?: {
      readonly cause?: unknown;
      readonly field?: string | undefined;
      readonly reason?: Reason | undefined;
    },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.field = options?.field;
    this.reason = options?.reason;
  }
}

/** The wire form of anything thrown. What is not a StudioError is a bug, and says so. */
export function encodeError(error: unknown): WireError {
  if (error instanceof StudioError) {
    return {
      code: error.code,
      message: error.message,
      ...(error.field === undefined ? {} : { field: error.field }),
      ...(error.reason === undefined ? {} : { reason: error.reason }),
      ...(error.stack === undefined ? {} : { stack: error.stack }),
    };
  }
  const stack = error instanceof Error ? error.stack : undefined;
  return {
    code: 'internal',
    message: `Something went wrong inside RCG Studio: ${error instanceof Error ? error.message : String(error)}`,
    ...(stack === undefined ? {} : { stack }),
  };
}

/** The error that `encodeError` was given, as far as it matters to a caller. */
export function decodeError(wire: WireError): StudioError {
  const { code, message, field, reason } = wire;
  const error = new StudioError(code, message, { field, reason });
  if (wire.stack !== undefined) error.stack = wire.stack;
  return error;
}
