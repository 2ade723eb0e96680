import { describe, expect, it } from 'vitest';
import { checkSchema } from '../../src/event/schema-compatibility.js';
import { readShippedSchemas, Schemas } from '../../src/event/schemas.js';

interface Field {
  name: string;
  type: unknown;
  default?: unknown;
}

const shipped = new Map(readShippedSchemas().map(({ id, text }) => [id, text]));
const outcome = JSON.parse(shipped.get(1)!) as { fields: Field[] };

/** The shipped schema of outcomes with its fields changed. */
const withFields = (change: (fields: Field[]) => Field[]): string =>
  JSON.stringify({ ...outcome, fields: change(structuredClone(outcome.fields)) });

const changed = (name: string, field: Partial<Field>): string =>
  withFields((fields) => fields.map((each) => (each.name === name ? { ...each, ...field } : each)));

const check = (text: string, known = new Schemas()) => checkSchema(text, known);

describe('a schema of another producer', () => {
  it('may add fields with defaults, leave out those that have one, and order them otherwise', () => {
    const text = withFields((fields) => [
      { name: 'team', type: 'string', default: '' },
      // The first field defines the type of ids.
      fields[0]!,
      ...fields
        .slice(1)
        .filter(({ name }) => name !== 'tenant')
        .reverse(),
    ]);
    expect(check(text)).toEqual({ subject: 'ai.router.RequestOutcome' });
  });

  it.each<[string, string, { field: string; rule: RegExp }]>([
    [
      'leaves out a field without a default',
      withFields((fields) => fields.filter(({ name }) => name !== 'model')),
      { field: 'model', rule: /in every version, or have a default \(compared with schema 1\)/ },
    ],
    [
      'adds one without a default: today’s readers could not be replaced by its own',
      withFields((fields) => [...fields, { name: 'team', type: 'string' }]),
      { field: 'team', rule: /default/ },
    ],
    [
      'has another type',
      changed('duration_ms', { type: 'string' }),
      { field: 'duration_ms', rule: /./ },
    ],
    [
      'has a wider type, which only one side can read',
      changed('duration_ms', { type: 'long' }),
      { field: 'duration_ms', rule: /./ },
    ],
    [
      'has another name',
      JSON.stringify({ ...outcome, name: 'Other' }),
      { field: 'name', rule: /one of ai.router.RequestOutcome, / },
    ],
    ['is not JSON', '{', { field: '', rule: /an Avro schema in JSON/ }],
    ['is not Avro', '{"type":"object"}', { field: '', rule: /an Avro schema in JSON/ }],
    [
      'cannot be walked within bounds',
      withFields((fields) => [...fields, { name: 'toString', type: 'string', default: '' }]),
      { field: '', rule: /toString/ },
    ],
  ])('is refused with field and rule where it %s', (_, text, { field, rule }) => {
    expect(check(text)).toEqual({ field, rule: expect.stringMatching(rule) });
  });

  it('names the field within the outcomes of a batch', () => {
    const batch = JSON.parse(shipped.get(2)!) as {
      fields: { name: string; type: { items: typeof outcome } }[];
    };
    const { items } = batch.fields.find(({ name }) => name === 'outcomes')!.type;
    items.fields.find(({ name }) => name === 'provider')!.type = 'int';
    expect(check(JSON.stringify(batch))).toMatchObject({ field: 'outcomes[].provider' });
  });

  it('is held to those that others registered before it', () => {
    const known = new Schemas();
    const team = (type: string) =>
      withFields((fields) => [...fields, { name: 'team', type, default: type === 'int' ? 0 : '' }]);
    known.register(100, team('int'));
    expect(check(team('int'), known)).toMatchObject({ subject: 'ai.router.RequestOutcome' });
    expect(check(team('string'), known)).toMatchObject({
      field: 'team',
      rule: expect.stringContaining('compared with schema 100'),
    });
  });
});
