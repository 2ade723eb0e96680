import { ERRORS, type ErrorCode } from '../../errors.js';
import { EXCLUSIONS } from '../reasons.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Codes that the route answers with beside those of every route, for the document. */
    problems?: readonly ErrorCode[];
    /** Serves who holds no key. */
    isPublic?: true;
    /** Body for the document, where the one that is checked is looser; made when it is read. */
    documentedBody?: () => object;
  }
}

const string = { type: 'string' };
const OF_EVERY_ROUTE: readonly ErrorCode[] = ['invalid_request', 'internal'];
const OF_GUARDED_ROUTES: readonly ErrorCode[] = ['unauthorized', 'forbidden', 'rate_limited'];
const OF_BODIES: readonly ErrorCode[] = ['payload_too_large', 'unsupported_media_type'];

/** Schema of problem JSON with one of these codes, all of one status. */
function problem(status: number, codes: readonly ErrorCode[]) {
  const properties = {
    type: { type: 'string', format: 'uri', description: 'urn:airouter:error:<code>' },
    title: { type: 'string', description: 'What the code means.' },
    status: { type: 'integer', enum: [status] },
    code: { type: 'string', enum: codes },
    detail: { type: 'string', description: 'What is wrong with this request.' },
  };
  return {
    type: 'object',
    required: Object.keys(properties),
    properties: { ...properties, ...extensions(codes) },
  };
}

/** Members that only some codes have. */
function extensions(codes: readonly ErrorCode[]): Record<string, object> {
  const ofInput = {
    field: { type: 'string', description: 'What is at fault, as a path with dots.' },
    rule: { type: 'string', description: 'What it must be.' },
  };
  const excluded = {
    type: 'array',
    description: 'Who was removed by what.',
    items: {
      type: 'object',
      required: ['offering', 'reason'],
      properties: { offering: string, reason: { type: 'string', enum: Object.keys(EXCLUSIONS) } },
    },
  };
  const integer = { type: 'integer' };
  const ofItem = { list: string, index: integer, field: string, rule: string, code: string };
  const ofItems = {
    accepted: integer,
    rejected: integer,
    errors: {
      type: 'array',
      items: { type: 'object', required: Object.keys(ofItem), properties: ofItem },
    },
  };
  return {
    ...(codes.some((code) => code !== 'internal') && ofInput),
    ...(codes.includes('no_eligible_offering') && { excluded }),
    ...(codes.includes('rule_broken') && ofItems),
  };
}

export interface ProblemsOf {
  problems?: readonly ErrorCode[] | undefined;
  isPublic?: boolean | undefined;
  takesBody: boolean;
}

/** Responses of the problems of a route, by status. */
export function problemResponses(route: ProblemsOf): Record<string, object> {
  const codes = new Set<ErrorCode>([
    ...OF_EVERY_ROUTE,
    ...(route.isPublic === true ? [] : OF_GUARDED_ROUTES),
    ...(route.takesBody ? OF_BODIES : []),
    ...(route.problems ?? []),
  ]);
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { http } = ERRORS[code];
    byStatus.set(http, [...(byStatus.get(http) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => [String(status), response(status, ofStatus)]),
  );
}

function response(status: number, codes: readonly ErrorCode[]) {
  const examples = codes.map((code) => [
    code,
    {
      value: {
        type: `urn:airouter:error:${code}`,
        title: ERRORS[code].meaning,
        status,
        code,
        detail: ERRORS[code].meaning,
      },
    },
  ]);
  return {
    description: codes.map((code) => `\`${code}\`: ${ERRORS[code].meaning}`).join('\n\n'),
    content: {
      'application/problem+json': {
        schema: problem(status, codes),
        examples: Object.fromEntries(examples),
      },
    },
  };
}
