import { describe, expect, it } from 'vitest';
import { BODY_BYTES_MAX, ITEMS_MAX } from '../../src/ingest/app.js';
import { ingestApp, item, postTo, TOPICS, uuid } from './ingest-app.js';

const many = (count: number): unknown[] => Array.from({ length: count }, (_, i) => item(i));

describe('a body that is not one', () => {
  const { app, log } = ingestApp();

  it.each<[string, unknown, number, string]>([
    ['null', 'null', 400, 'body'],
    ['a list', [], 400, 'body'],
    ['a number', '5', 400, 'body'],
    ['nothing', '', 400, 'body'],
    ['cut off', '{"outcomes":[', 400, 'body'],
    ['NaN', '{"outcomes":[{"duration_ms":NaN}]}', 400, 'body'],
    ['no list', {}, 400, 'outcomes and summaries'],
    ['no items', { outcomes: [], summaries: [] }, 400, 'outcomes and summaries'],
    ['a list that is none', { outcomes: item(1) }, 400, 'outcomes'],
    ['a list null', { outcomes: null }, 400, 'outcomes'],
    ['a list "5"', { outcomes: '5' }, 400, 'outcomes'],
    ['an unknown field', { outcomes: many(1), events: [] }, 400, 'events'],
    ['1,001 items', { outcomes: many(ITEMS_MAX + 1) }, 400, 'outcomes and summaries'],
    [
      '1,001 items in both',
      { outcomes: many(ITEMS_MAX), summaries: [{}] },
      400,
      'outcomes and summaries',
    ],
    ['__proto__', '{"outcomes":[{"__proto__":{"model":"m"}}]}', 400, 'body'],
    ['constructor.prototype', '{"outcomes":[{"constructor":{"prototype":{}}}]}', 400, 'body'],
    ['5 MiB and a byte', `{"outcomes":[]}${' '.repeat(BODY_BYTES_MAX - 14)}`, 413, 'body'],
  ])('%s is refused whole', async (_, payload, status, field) => {
    const answer = await app.inject(postTo('/v1/outcomes', payload));
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toMatch('application/problem+json');
    expect(answer.json()).toMatchObject({ status, field });
    expect(log.appends).toBe(0);
  });

  it('of exactly 1,000 items and 5 MiB is taken', async () => {
    const body = JSON.stringify({ outcomes: many(ITEMS_MAX) });
    const padded = body + ' '.repeat(BODY_BYTES_MAX - Buffer.byteLength(body));
    const taken = ingestApp();
    const answer = await taken.app.inject(postTo('/v1/outcomes', padded));
    expect(answer.json()).toEqual({ accepted: ITEMS_MAX, rejected: 0, errors: [] });
    expect(taken.log.eventIds(TOPICS.outcomes)).toHaveLength(ITEMS_MAX);
  });

  it.each(['text/plain', 'application/xml'])('of %s is refused', async (type) => {
    const request = { ...postTo('/v1/outcomes', '{}'), headers: { 'content-type': type } };
    expect((await app.inject(request)).json()).toMatchObject({ code: 'unsupported_media_type' });
  });
});

describe('an item that is wrong', () => {
  const { app, log } = ingestApp();

  it.each<[string, Record<string, unknown>, string]>([
    ['no event_id', { event_id: undefined }, 'event_id'],
    ['event_id null', { event_id: null }, 'event_id'],
    ['event_id 5', { event_id: 5 }, 'event_id'],
    ['event_id no UUID', { event_id: 'chatcmpl-1' }, 'event_id'],
    ['event_id and source', { source: 's', id: 'x' }, 'event_id'],
    ['source without id', { event_id: undefined, source: 's' }, 'id'],
    ['source empty', { event_id: undefined, source: '', id: 'x' }, 'source'],
    ['source with NUL', { event_id: undefined, source: 'a\0b', id: 'x' }, 'source'],
    ['id with a lone surrogate', { event_id: undefined, source: 's', id: '\ud800' }, 'id'],
    ['id too long', { event_id: undefined, source: 's', id: 'x'.repeat(513) }, 'id'],
    ['no occurred_at', { occurred_at: undefined }, 'occurred_at'],
    ['occurred_at text', { occurred_at: '2026-01-01' }, 'occurred_at'],
    ['occurred_at negative', { occurred_at: -1 }, 'occurred_at'],
    ['no model', { model: undefined }, 'model'],
    ['model null', { model: null }, 'model'],
    ['model empty', { model: '' }, 'model'],
    ['model with NUL', { model: 'a\0b' }, 'model'],
    ['model with a lone surrogate', { model: '\udc00' }, 'model'],
    ['model with U+FFFD', { model: '\ufffd' }, 'model'],
    ['model too long', { model: 'x'.repeat(257) }, 'model'],
    ['provider null', { provider: null }, 'provider'],
    ['provider blank', { provider: '  ' }, 'provider'],
    ['region null', { region: null }, 'region'],
    ['duration "5"', { duration_ms: '5' }, 'duration_ms'],
    ['duration null', { duration_ms: null }, 'duration_ms'],
    ['duration false', { duration_ms: false }, 'duration_ms'],
    ['duration 1.5', { duration_ms: 1.5 }, 'duration_ms'],
    ['duration -1', { duration_ms: -1 }, 'duration_ms'],
    ['duration 2^31', { duration_ms: 2 ** 31 }, 'duration_ms'],
    ['tokens 2^53', { input_tokens: 2 ** 53 }, 'input_tokens'],
    ['attempt "0"', { attempt: '0' }, 'attempt'],
    ['attempt null', { attempt: null }, 'attempt'],
    ['stream "true"', { stream: 'true' }, 'stream'],
    ['stream null', { stream: null }, 'stream'],
    ['status unknown', { status: 'ok' }, 'status'],
    ['status null', { status: null }, 'status'],
    ['http_status "200"', { http_status: '200' }, 'http_status'],
    ['http_status 20', { http_status: 20 }, 'http_status'],
    ['operation null', { operation: null }, 'operation'],
    ['decision a text', { decision: 'x' }, 'decision'],
    ['decision a list', { decision: [] }, 'decision'],
    ['decision empty', { decision: {} }, 'decision.decision_id'],
    [
      'decision with more',
      { decision: { decision_id: uuid(1), rank: 0, propensity: 1, prompt: 'x' } },
      'decision.prompt',
    ],
    [
      'propensity 2',
      { decision: { decision_id: uuid(1), rank: 0, propensity: 2 } },
      'decision.propensity',
    ],
    ['rank null', { decision: { decision_id: uuid(1), rank: null } }, 'decision.rank'],
    ['a prompt', { prompt: 'tell me' }, 'prompt'],
    ['a name of every object', { toString: 1 }, 'toString'],
    ['a long unknown name', { ['x'.repeat(1000)]: 1 }, 'x'.repeat(64)],
  ])('%s is named by field', async (_, change, field) => {
    const answer = await app.inject(postTo('/v1/outcomes', { outcomes: [item(1, change)] }));
    expect(answer.statusCode).toBe(400);
    const [error] = answer.json().errors;
    expect(error).toMatchObject({ list: 'outcomes', index: 0, field, code: 'rule_broken' });
    expect(error.rule).toMatch(/^\S/);
    expect(log.appends).toBe(0);
  });

  it.each([null, 5, 'x', [], true])('%j is no item', async (value) => {
    const answer = await app.inject(postTo('/v1/outcomes', { outcomes: [value] }));
    expect(answer.json()).toMatchObject({ errors: [{ index: 0, rule: 'an object' }] });
  });

  it('a number that JSON cannot hold is beyond every rule', async () => {
    const text = JSON.stringify({ outcomes: [item(1)] }).replace('900', '1e999');
    const answer = await app.inject(postTo('/v1/outcomes', text));
    expect(answer.json()).toMatchObject({ errors: [{ field: 'duration_ms' }] });
  });
});
