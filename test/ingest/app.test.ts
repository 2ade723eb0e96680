import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { AiRouterError } from '../../src/errors.js';
import { formatUuid, uuidV8 } from '../../src/event/uuid.js';
import { START_MS } from '../fold/outcomes.js';
import { FakeLog } from './fake-log.js';
import { decision, ingestApp, item, postTo, TOPICS, uuid } from './ingest-app.js';

const outcomes = (...items: unknown[]) => postTo('/v1/outcomes', { outcomes: items });

describe('POST /v1/outcomes', () => {
  it('I1 answers 202 once the log has acknowledged, not before', async () => {
    const { app, log } = ingestApp();
    let acknowledge: (how: 'ack') => void = () => {};
    log.answer = () => new Promise((resolve) => (acknowledge = resolve));
    let isAnswered = false;
    const answer = app.inject(outcomes(item(1))).then((response) => {
      isAnswered = true;
      return response;
    });
    while (log.appends === 0) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isAnswered).toBe(false);
    expect(log.eventIds(TOPICS.outcomes)).toEqual([]);
    acknowledge('ack');
    expect((await answer).statusCode).toBe(202);
    expect((await answer).json()).toEqual({ accepted: 1, rejected: 0, errors: [] });
    expect(log.eventIds(TOPICS.outcomes)).toEqual([uuid(1)]);
  });

  it('fills in the defaults, maps the provider and derives the status', async () => {
    const { app, log } = ingestApp();
    const given = item(1, { provider: 'Azure', http_status: 429, tenant: 'acme' });
    await app.inject(outcomes(given));
    const [record] = log.decoded(TOPICS.outcomes);
    expect(record).toMatchObject({
      type: 'OutcomeBatch',
      value: {
        sequence: 1,
        outcomes: [
          {
            provider: 'azure.ai.openai',
            status: 'rate_limited',
            operation: 'other',
            attempt: 0,
            tenant: 'acme',
            stream: false,
            ttft_ms: null,
            input_tokens: null,
            cost_nano_usd: null,
          },
        ],
      },
    });
  });

  it('makes the identity of an event of others from source and id', async () => {
    const { app, log } = ingestApp();
    const { event_id: _, ...rest } = item(1);
    await app.inject(outcomes({ ...rest, source: 'litellm', id: 'chatcmpl-1' }));
    expect(log.eventIds(TOPICS.outcomes)).toEqual([formatUuid(uuidV8('litellm', 'chatcmpl-1'))]);
  });

  it('writes the good items of a body and names each bad one', async () => {
    const { app, log } = ingestApp();
    const answer = await app.inject(outcomes(item(1), item(2, { duration_ms: '5' }), item(3)));
    expect(answer.statusCode).toBe(202);
    expect(answer.json()).toEqual({
      accepted: 2,
      rejected: 1,
      errors: [
        {
          list: 'outcomes',
          index: 1,
          field: 'duration_ms',
          rule: 'an integer of 0..2^31-1',
          code: 'rule_broken',
        },
      ],
    });
    expect(log.eventIds(TOPICS.outcomes).toSorted()).toEqual([uuid(1), uuid(3)]);
  });

  it('answers 400 where every item is bad, and writes nothing', async () => {
    const { app, log } = ingestApp();
    const answer = await app.inject(outcomes(item(1, { model: '' }), null));
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toMatch('application/problem+json');
    expect(answer.json()).toMatchObject({ code: 'rule_broken', accepted: 0, rejected: 2 });
    expect(answer.json().errors.map((error: { field: string }) => error.field)).toEqual([
      'model',
      '',
    ]);
    expect(log.appends).toBe(0);
  });

  it('answers 503 with Retry-After while the log is away, and takes the same items later', async () => {
    const { app, log, writer } = ingestApp(new FakeLog(), { acknowledgeMs: 20 });
    log.answer = () => 'lost';
    const answer = await app.inject(outcomes(item(1)));
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.json()).toMatchObject({ code: 'log_unavailable', status: 503 });
    expect(writer.isFailing).toBe(true);
    log.answer = () => 'ack';
    expect((await app.inject(outcomes(item(1)))).statusCode).toBe(202);
    expect(writer.isFailing).toBe(false);
    expect(log.folded(TOPICS.outcomes).applied).toBe(1);
    expect(log.breaches).toEqual([]);
  });

  it('I11 refuses what would wait beyond its memory, at once', async () => {
    const { app, log } = ingestApp(new FakeLog(), { heldBytesMax: 10 });
    const answer = await app.inject(outcomes(item(1)));
    expect(answer.statusCode).toBe(503);
    expect(log.appends).toBe(0);
  });

  it('serves only loopback where there are no keys', async () => {
    const { app, log } = ingestApp();
    const answer = await app.inject({ ...outcomes(item(1)), remoteAddress: '10.0.0.7' });
    expect(answer.statusCode).toBe(403);
    expect(log.appends).toBe(0);
  });
});

describe('summaries', () => {
  const summaries = (...items: unknown[]) => postTo('/v1/outcomes', { summaries: items });

  it('takes the metrics of a model at a provider; what is absent stays unknown', async () => {
    const { app, log } = ingestApp();
    const metrics = {
      id: uuid(9),
      model_id: 'gpt-4o',
      provider_id: 'bedrock',
      response_time: 1.25,
      success_rate: 0.9,
      total_requests: 200,
      total_cost: 0.5,
    };
    const answer = await app.inject(summaries(metrics));
    expect(answer.json()).toEqual({ accepted: 1, rejected: 0, errors: [] });
    expect(log.decoded(TOPICS.summaries)).toMatchObject([
      {
        type: 'OutcomeSummary',
        value: {
          occurred_at: START_MS,
          model: 'gpt-4o',
          provider: 'aws.bedrock',
          total_requests: 200,
          successful_requests: 180,
          failed_requests: null,
          duration_ms_mean: 1250,
          cost_nano_usd: 500_000_000,
          total_tokens: null,
        },
      },
    ]);
  });

  it('goes with outcomes in one body, and tells whose index an error has', async () => {
    const { app, log } = ingestApp();
    const own = { id: uuid(9), occurred_at: 1, model: 'm', provider: 'p', total_requests: 1 };
    const body = { outcomes: [item(1)], summaries: [own, { ...own, total_requests: -1 }] };
    const answer = await app.inject(postTo('/v1/outcomes', body));
    expect(answer.json()).toMatchObject({
      accepted: 2,
      errors: [{ list: 'summaries', index: 1, field: 'total_requests' }],
    });
    expect(log.decoded(TOPICS.summaries)).toHaveLength(1);
  });

  it.each([
    ['no id', { id: undefined }, 'id'],
    ['a rate over 1', { success_rate: 90 }, 'success_rate'],
    ['a rate as text', { success_rate: '0.9' }, 'success_rate'],
    ['no response time', { response_time: null }, 'response_time'],
    ['a negative cost', { total_cost: -1 }, 'total_cost'],
    ['a cost beyond the log', { total_cost: 1e9 }, 'cost_nano_usd'],
    ['half a request', { total_requests: 1.5 }, 'total_requests'],
    ['an unknown field', { p99: 1 }, 'p99'],
    ['no model', { model_id: undefined }, 'model_id'],
  ])('refuses %s', async (_, change, field) => {
    const metrics = {
      id: uuid(9),
      model_id: 'm',
      provider_id: 'p',
      response_time: 1,
      success_rate: 1,
      total_requests: 1,
      ...change,
    };
    const answer = await ingestApp().app.inject(summaries(metrics));
    expect(answer.json()).toMatchObject({ status: 400, errors: [{ field }] });
  });
});

describe('POST /v1/inflight', () => {
  it('writes gauges, keyed by their offering', async () => {
    const { app, log } = ingestApp();
    const gauge = { emitter: uuid(3), offering: 'm|p||', tick: 5, in_flight: 2, oldest_ms: 900 };
    const answer = await app.inject(postTo('/v1/inflight', { inflight: [gauge, { tick: 5 }] }));
    expect(answer.json()).toMatchObject({ accepted: 1, errors: [{ index: 1, field: 'emitter' }] });
    expect(log.decoded(TOPICS.inflight)).toMatchObject([
      { type: 'Inflight', value: { ...gauge, emitter: expect.anything(), started: 0, overdue: 0 } },
    ]);
    const record = [...log.records.values()].flat()[0]!;
    expect(record.key?.toString()).toBe('m|p||');
  });
});

describe('POST /v1/decisions', () => {
  const decisions = (...items: unknown[]) => postTo('/v1/decisions', { decisions: items });

  it('writes decisions as the router makes them, keyed by their id', async () => {
    const { app, log } = ingestApp();
    expect((await app.inject(decisions(decision(1)))).statusCode).toBe(202);
    const { decision_id: _, ...fields } = decision(1) as { decision_id: string };
    expect(log.decoded(TOPICS.decisions)).toMatchObject([{ type: 'Decision', value: fields }]);
    const record = [...log.records.values()].flat()[0]!;
    expect(record.key?.toString()).toBe(uuid(1));
  });

  it('keeps only the hash of a request over 2 KiB, and says so', async () => {
    const { app, log } = ingestApp();
    await app.inject(decisions(decision(1, { request: 'x'.repeat(2049) })));
    await app.inject(decisions(decision(1, { request: 'x'.repeat(2048) })));
    const [long, short] = log.decoded(TOPICS.decisions) as { value: { request: string } }[];
    expect(long?.value).toMatchObject({
      request: expect.stringMatching(/^[0-9a-f]{64}$/),
      request_hashed: true,
    });
    expect(short?.value).toMatchObject({ request: 'x'.repeat(2048), request_hashed: false });
  });

  it.each([
    ['no state', { state: undefined }, 'state'],
    ['a state of text', { state: 'x' }, 'state'],
    ['eligible null', { eligible: null }, 'eligible'],
    ['a mass of text', { eligible: [{ offering: 'm|p||', mass: '1' }] }, 'eligible.0.mass'],
    ['masses that do not sum', { eligible: [{ offering: 'm|p||', mass: 1 }] }, 'eligible'],
    ['an unknown field within', { state: { ...{}, x: 1 } }, 'state'],
    ['an unknown field', { prompt: 'secret' }, 'prompt'],
    ['a lone surrogate', { request: '\ud800' }, 'request'],
    ['no id', { decision_id: 'x' }, 'decision_id'],
  ])('refuses %s', async (_, change, field) => {
    const answer = await ingestApp().app.inject(decisions(decision(1, change)));
    expect(answer.json()).toMatchObject({ status: 400, errors: [{ index: 0, field }] });
  });

  it('refuses a decision that is larger than a record, and takes those beside it', async () => {
    const { app, log } = ingestApp();
    const excluded = Array.from({ length: 9_000 }, (_, i) => ({
      offering: `m|p|deployment-${i}-with-a-long-name-${'x'.repeat(40)}|`,
      reason: 'too_expensive',
    }));
    const answer = await app.inject(decisions(decision(1, { excluded }), decision(2)));
    expect(answer.json()).toMatchObject({
      accepted: 1,
      errors: [{ index: 0, code: 'record_too_large' }],
    });
    expect(log.decoded(TOPICS.decisions)).toHaveLength(1);
  });

  it('goes on with smaller appends where the log takes less, and names what it never takes', async () => {
    const { app, log } = ingestApp();
    const excluded = [{ offering: 'm|p||', reason: 'x'.repeat(128) }];
    const appendOf = log.append.bind(log);
    log.append = async (topic, partition, records) => {
      const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
      if (bytes <= 400) return appendOf(topic, partition, records);
      throw new AiRouterError('record_too_large', 'too large');
    };
    const small = Array.from({ length: 30 }, (_, i) => decision(i));
    expect((await app.inject(decisions(...small))).statusCode).toBe(202);
    expect(log.decoded(TOPICS.decisions)).toHaveLength(30);
    const large = decision(99, { excluded: Array.from({ length: 5 }, () => excluded[0]) });
    const answer = await app.inject(decisions(large));
    expect(answer.json()).toMatchObject({ status: 413, code: 'record_too_large' });
  });
});

describe('bodies under way', () => {
  it('I11 are bounded together; the budget is given back by answers and by callers who leave', async () => {
    const { app } = ingestApp();
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as { port: number };
    const head = (bytes: number) =>
      `POST /v1/outcomes HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${bytes}\r\n\r\n`;
    const open = () =>
      new Promise<ReturnType<typeof connect>>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.write(head(5 * 1024 * 1024));
          resolve(socket);
        });
      });
    const shed = async () =>
      (
        await fetch(`http://127.0.0.1:${port}/v1/outcomes`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: `{"outcomes":[${JSON.stringify(item(1))}]}${' '.repeat(4_700_000)}`,
        })
      ).status;
    const sockets = await Promise.all(Array.from({ length: 12 }, open));
    while ((await shed()) !== 503) await new Promise((resolve) => setImmediate(resolve));
    for (const socket of sockets) socket.destroy();
    while ((await shed()) !== 202) await new Promise((resolve) => setImmediate(resolve));
    await app.close();
  });
});
