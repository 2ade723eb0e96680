import type { FastifyError, FastifyReply } from 'fastify';
import { AiRouterError, ERRORS, type ErrorCode } from '../errors.js';
import type { Excluded } from './filter.js';
import { NoEligibleOffering } from './sift.js';
import { isUnsupported } from './unsupported.js';
import { breachOf, type Violation } from './violation.js';

/** Problem details of RFC 9457. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail: string;
  /** The field at fault, as a path with dots, and the rule that it breaks. */
  field?: string;
  rule?: string;
  /** With `no_eligible_offering`: who was removed by what. */
  excluded?: readonly Excluded[];
}

export const PROBLEM_TYPE = 'application/problem+json';

/** Enough to see what went wrong; a catalogue can hold thousands. */
const EXCLUDED_MAX = 100;

export function problemOf(error: AiRouterError): Problem {
  const { meaning, http } = ERRORS[error.code];
  // What has no status is none of the caller's business, nor is the text of a defect.
  if (http === 0 || http === 500) return problem('internal', ERRORS.internal.meaning, 500);
  const excluded =
    error instanceof NoEligibleOffering
      ? { excluded: error.excluded.slice(0, EXCLUDED_MAX) }
      : undefined;
  return {
    ...problem(error.code, meaning, http),
    detail: error.message,
    ...(error.field === undefined ? undefined : { field: error.field }),
    ...(error.rule === undefined ? undefined : { rule: error.rule }),
    ...excluded,
  };
}

function problem(code: ErrorCode, title: string, status: number): Problem {
  return { type: `urn:airouter:error:${code}`, title, status, code, detail: title };
}

/** What passes by itself may be tried again after this. */
const RETRY_AFTER_S = 1;

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.status === 503) reply.header('retry-after', RETRY_AFTER_S);
  return reply.code(problem.status).type(PROBLEM_TYPE).send(problem);
}

/** An error of the framework as one of the table; what is not known there is a defect. */
export function errorOfFramework(error: Error, bodyBytesMax = 0): AiRouterError {
  if (error instanceof AiRouterError) return error;
  const { code, statusCode, validation, validationContext } = error as FastifyError;
  if (validation !== undefined && validation.length > 0) {
    return errorOfValidation(validation, validationContext ?? 'body');
  }
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return broken('payload_too_large', 'body', `at most ${bodyBytesMax} bytes`);
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return broken('unsupported_media_type', 'content-type', 'application/json');
    case 'FST_ERR_BAD_URL':
      return broken('invalid_request', 'url', 'a well-formed URL');
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    const rule = 'well-formed JSON, without __proto__ and constructor.prototype';
    return broken('invalid_request', 'body', rule);
  }
  return new AiRouterError('internal', error.message, { cause: error });
}

function errorOfValidation(violations: readonly Violation[], context: string): AiRouterError {
  const { field, rule, keyword } = breachOf(violations, context);
  return isUnsupported(field, keyword)
    ? broken('unsupported_field', field, 'absent: it is not supported')
    : broken('invalid_request', field, rule);
}

function broken(code: ErrorCode, field: string, rule: string): AiRouterError {
  return new AiRouterError(code, `${field} must be ${rule}`, { field, rule });
}
