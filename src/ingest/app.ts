import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Access, guard } from '../access/access.js';
import type { Caller } from '../access/caller.js';
import type { Clock } from '../clock.js';
import { AiRouterError, ERRORS } from '../errors.js';
import type { Metrics } from '../observe/metrics.js';
import { BodyBudget } from './body-budget.js';
import { readDecision } from './decision-item.js';
import { BODIES, documentedBody } from './documented-body.js';
import { entriesOf, type Places } from './entries.js';
import { readInflight } from './inflight-item.js';
import { Intake } from './intake.js';
import { ofTenant, type Read } from './item.js';
import { readOutcome } from './outcome-item.js';
import type { RecordWriter } from './record-writer.js';
import { schemaOf } from './schema.js';
import { readSummary } from './summary-item.js';

/** Items of one body, in all its lists. */
export const ITEMS_MAX = 1_000;
/** Of one body: five times what its items take on average. */
export const BODY_BYTES_MAX = 5 * 1024 * 1024;

const PROBLEMS = ['rule_broken', 'record_too_large', 'log_unavailable', 'overloaded'] as const;

export interface IngestAppOptions {
  writer: RecordWriter;
  places: Places;
  /** Of bodies that are under way, together. */
  bodiesBytesMax: number;
  clock: Clock;
  access: Access;
  metrics: Metrics | null;
}

type Lists = Partial<Record<string, unknown[]>>;

/**
 * The routes that write the log, on a server that may have those of other roles too. 202 says that
 * every accepted item is in the log; 503, that none may be counted on, and all may be sent again.
 */
export function registerIngest(app: FastifyInstance, options: IngestAppOptions): void {
  const { places, clock, access } = options;
  const entries = entriesOf(places);
  const budget = new BodyBudget(options.bodiesBytesMax);
  app.register(async (telling) => {
    guard(telling, access, 'ingest');
    admitWithin(budget, telling);
    const post = postTo(telling, options);
    post('/v1/outcomes', BODIES.outcomes, (body, caller) => {
      const intake = new Intake();
      const own = ofCaller(caller);
      const nowMs = clock.nowMs();
      const summary = (item: unknown) => readSummary(item, nowMs);
      intake.take('outcomes', body['outcomes'] ?? [], own(readOutcome), entries.outcome);
      intake.take('summaries', body['summaries'] ?? [], own(summary), entries.summary);
      return intake;
    });
    post('/v1/inflight', BODIES.inflight, (body) => {
      const intake = new Intake();
      intake.take('inflight', body['inflight'] ?? [], readInflight, entries.inflight);
      return intake;
    });
  });
  app.register(async (routers) => {
    guard(routers, access, 'route');
    admitWithin(budget, routers);
    postTo(routers, options)('/v1/decisions', BODIES.decisions, (body, caller) => {
      const intake = new Intake();
      const own = ofCaller(caller)(readDecision);
      intake.take('decisions', body['decisions'] ?? [], own, entries.decision);
      return intake;
    });
  });
}

function admitWithin(budget: BodyBudget, app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    budget.admit(request, reply);
    done();
  });
}

/** Reads items as those of the caller's tenant. */
function ofCaller(caller: Caller) {
  return <T>(read: (item: unknown) => Read<T>) =>
    (item: unknown): Read<T> => {
      const mine = ofTenant(item, caller);
      return 'broken' in mine ? mine : read(mine.value);
    };
}

function postTo(app: FastifyInstance, { writer, metrics }: IngestAppOptions) {
  return (
    url: string,
    { about, documented }: (typeof BODIES)[keyof typeof BODIES],
    intakeOf: (body: Lists, caller: Caller) => Intake,
  ): void => {
    const lists = Object.keys(documented);
    app.post<{ Body: Lists }>(
      url,
      {
        bodyLimit: BODY_BYTES_MAX,
        schema: schemaOf(about, lists),
        config: { problems: PROBLEMS, documentedBody: () => documentedBody(documented) },
      },
      async (request, reply) => {
        checkCount(request, lists);
        const { entries, errors } = intakeOf(request.body, request.caller!);
        const count = (result: string, items: number) =>
          metrics?.counter('ingestItems').inc({ route: url, result }, items);
        count('rejected', errors.length);
        if (entries.length === 0) return refuseAll(reply, errors);
        try {
          await writer.write(entries);
        } catch (error) {
          count('unavailable', entries.length);
          throw error;
        }
        count('accepted', entries.length);
        reply.code(202);
        return { accepted: entries.length, rejected: errors.length, errors };
      },
    );
  };
}

function checkCount({ body }: FastifyRequest<{ Body: Lists }>, lists: readonly string[]): void {
  const items = lists.reduce((sum, list) => sum + (body[list]?.length ?? 0), 0);
  if (items >= 1 && items <= ITEMS_MAX) return;
  const field = lists.join(' and ');
  const rule = `lists of 1..${ITEMS_MAX} items in all`;
  throw new AiRouterError('invalid_request', `${field} must be ${rule}`, { field, rule });
}

function refuseAll(reply: FastifyReply, errors: Intake['errors']) {
  const code = 'rule_broken';
  reply.code(ERRORS[code].http).type('application/problem+json');
  return {
    type: `urn:airouter:error:${code}`,
    title: ERRORS[code].meaning,
    status: ERRORS[code].http,
    code,
    detail: 'every item is wrong; nothing was written',
    accepted: 0,
    rejected: errors.length,
    errors,
  };
}
