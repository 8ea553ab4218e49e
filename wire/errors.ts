/**
 * The one class of errors and the one list of their codes. A code is stable and prefixed by area;
 * `docs/developer/errors.md` lists the same codes, and a test holds the two equal. Expected outcomes
 * are values, not errors.
 */
export const errorCodes = {
  ENROLL_TOKEN_UNKNOWN: 401,
  ENROLL_TOKEN_EXPIRED: 401,
  ENROLL_TOKEN_USED_UP: 401,
  ENROLL_POLICY_KEY_MISMATCH: 409,
  ENROLL_UNREACHABLE: 503,
  AUTH_REQUIRED: 401,
  AUTH_FORBIDDEN: 403,
  AUTH_LINK_INVALID: 401,
  DEVICE_UNKNOWN: 401,
  DEVICE_REVOKED: 401,
  DEVICE_TOKEN_INVALID: 401,
  DEVICE_TOKEN_EXPIRED: 401,
  DEVICE_CLOCK_SKEW: 401,
  BUNDLE_SIGNATURE_INVALID: 400,
  BUNDLE_SEQUENCE_OLD: 409,
  BUNDLE_FORMAT_UNKNOWN: 422,
  BUNDLE_MALFORMED: 400,
  ASSIGNMENT_INVALID: 400,
  POLICY_INVALID: 422,
  PLAN_MISSING: 409,
  PLAN_STALE: 409,
  POLICY_KEY_OFFLINE: 409,
  SIGNED_FILE_INVALID: 422,
  CATALOGUE_INVALID: 422,
  REPORT_INVALID: 400,
  REQUEST_INVALID: 400,
  REQUEST_TOO_LARGE: 413,
  REQUEST_TOO_MANY: 429,
  NOT_FOUND: 404,
  SERVER_BUSY: 503,
  SERVER_FAULT: 500,
  STORE_NEWER: 500,
  STORE_DAMAGED: 500,
  SETTING_INVALID: 400,
  USAGE: 400,
  PORT_BUSY: 500,
  FOLDER_NOT_WRITABLE: 500,
  FOLDER_IN_USE: 409,
  NODE_TOO_OLD: 500,
} as const;
export type ErrorCode = keyof typeof errorCodes;

/** An error a person or a program can act on: what failed, on what, and in `hint` what to do. */
export class CurfewError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | null;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CurfewError';
    this.code = code;
    this.hint = options.hint ?? null;
  }

  /** The HTTP status that goes with the code. */
  get status(): number {
    return errorCodes[this.code];
  }
}
