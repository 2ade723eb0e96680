import { expect, it } from 'vitest';
import { readShippedSchemas } from '../../src/event/schemas.js';
import { readDecision } from '../../src/ingest/decision-item.js';
import { readInflight } from '../../src/ingest/inflight-item.js';
import { readOutcome } from '../../src/ingest/outcome-item.js';
import { readSummary } from '../../src/ingest/summary-item.js';
import { START_MS } from '../fold/outcomes.js';
import { decision, item, uuid } from './ingest-app.js';

interface Field {
  name: string;
  default?: unknown;
}

const LEAST: Record<string, [object, (value: unknown) => object]> = {
  RequestOutcome: [item(1), readOutcome],
  OutcomeSummary: [
    { id: uuid(1), occurred_at: START_MS, model: 'm', provider: 'p', total_requests: 1 },
    (value) => readSummary(value, START_MS),
  ],
  Inflight: [{ emitter: uuid(1), offering: 'm|p||', tick: 1, in_flight: 1 }, readInflight],
  Decision: [decision(1), readDecision],
};

it.each(Object.entries(LEAST))(
  '%s has the defaults and the fields of its schema',
  (name, [least, read]) => {
    const text = readShippedSchemas().find(({ subject }) => subject === `ai.router.${name}`)!.text;
    const fields = (JSON.parse(text) as { fields: Field[] }).fields;
    const made = read(least) as { value: Record<string, unknown> };
    expect(Object.keys(made.value).toSorted()).toEqual(
      fields.map((field) => field.name).toSorted(),
    );
    for (const field of fields) {
      if (field.name in least) continue;
      if ('default' in field)
        expect([field.name, made.value[field.name]]).toEqual([field.name, field.default]);
    }
  },
);
