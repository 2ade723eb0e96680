import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { decode } from '../../src/event/decode.js';
import { readShippedSchemas, Schemas } from '../../src/event/schemas.js';

const shipped = readShippedSchemas();
const bySubject = new Map(
  shipped.map(({ subject }) => [subject, shipped.filter((it) => it.subject === subject)]),
);
const outcome = JSON.parse(shipped.find(({ id }) => id === 1)!.text) as OutcomeSchema;

interface OutcomeSchema {
  name: string;
  fields: { name: string; type: unknown; default?: unknown }[];
}

describe('the shipped schemas', () => {
  it('have ids of 1..99, each once, and are known by them', () => {
    const ids = shipped.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const schemas = new Schemas();
    for (const id of ids) {
      expect(id).toBeGreaterThanOrEqual(1);
      expect(id).toBeLessThanOrEqual(99);
      expect(schemas.writer(id)).toMatchObject({ record: expect.any(String) });
    }
  });

  it('have the names and versions that ids.json and the file names say', () => {
    for (const { subject, version, file, text } of shipped) {
      expect(avro.Type.forSchema(JSON.parse(text)).name).toBe(subject);
      expect(file).toMatch(new RegExp(`\\.v${version}\\.avsc$`));
    }
  });

  it.each([...bySubject])(
    'of %s are FULL_TRANSITIVE: each version reads all the others',
    (_, all) => {
      for (const reader of all)
        for (const writer of all) expect(reads(reader.text, writer.text)).toBe('');
    },
  );

  it('would not be, were a field added without a default or an enum without one widened', () => {
    const wider = JSON.stringify({
      ...outcome,
      fields: [...outcome.fields, { name: 'x', type: 'int' }],
    });
    expect(reads(wider, shipped[0]!.text)).toMatch(/default-less/);
    const symbols = (more: string[]) => ({ type: 'enum', name: 'E', symbols: ['a', ...more] });
    expect(reads(JSON.stringify(symbols([])), JSON.stringify(symbols(['b'])))).toMatch(
      /cannot read/,
    );
  });

  it('give every enum a default, so that a later symbol can be read today', () => {
    for (const { text } of shipped) {
      for (const found of text.matchAll(/"type": "enum",[^}]*}/g))
        expect(found[0]).toContain('"default"');
    }
  });

  it('are the same in a batch as alone', () => {
    const batch = JSON.parse(shipped.find(({ id }) => id === 2)!.text);
    const inBatch = batch.fields[2].type.items.fields as { name: string }[];
    expect(inBatch.map(({ name }) => name)).toEqual(outcome.fields.map(({ name }) => name));
    // Only the definition of Uuid stands elsewhere: at the publisher.
    expect(inBatch.slice(1)).toEqual(outcome.fields.slice(1));
  });
});

describe('register', () => {
  it.each([1, 11, 12, 0, -1, 100.5, 2 ** 31])('refuses the id %s', (id) => {
    const schemas = new Schemas();
    const before = schemas.writer(id);
    expect(schemas.register(id, JSON.stringify(outcome))).toMatch(/not to be given again/);
    expect(schemas.writer(id)).toBe(before);
  });

  it('takes an id that only a newer version ships', () => {
    const schemas = new Schemas();
    expect([1, 12, 13, 99, 100].map((id) => schemas.isForeign(id))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
    expect(schemas.register(13, JSON.stringify(outcome))).toBeNull();
    expect(schemas.writer(13)).toMatchObject({ record: 'RequestOutcome' });
    expect(schemas.isForeign(13)).toBe(false);
    // What is written stays this version's own.
    expect(schemas.written('RequestOutcome').id).toBe(1);
  });

  it('reads another writer’s schema by the full name of its record', () => {
    const fields = [
      { name: 'labels', type: { type: 'map', values: 'string' }, default: {} },
      ...outcome.fields
        .filter(
          ({ name, default: byDefault }) => name === 'input_tokens' || byDefault === undefined,
        )
        .map((field) => (field.name === 'input_tokens' ? { ...field, type: 'int' } : field)),
    ];
    for (const field of fields) if (field.name === 'input_tokens') delete field.default;
    const text = JSON.stringify({ ...outcome, fields });
    const schemas = new Schemas();
    expect(schemas.register(100, text)).toBeNull();
    const written = {
      labels: { team: 'a' },
      event_id: Buffer.alloc(16, 1),
      occurred_at: 5,
      model: 'm',
      provider: 'p',
      status: 'timeout',
      duration_ms: 9,
      input_tokens: 7,
    };
    const body = avro.Type.forSchema(JSON.parse(text)).toBuffer(written);
    expect(
      decode(Buffer.concat([Buffer.from([0, 0, 0, 0, 100]), body]), {}, schemas),
    ).toMatchObject({
      type: 'RequestOutcome',
      value: { model: 'm', status: 'timeout', input_tokens: 7, output_tokens: null, tenant: '' },
    });
  });

  it('resolves the types within a record by their own names, whatever their namespace', () => {
    const elsewhere = { type: 'fixed', name: 'Uuid', namespace: 'com.example', size: 16 };
    const fields = outcome.fields
      .filter(({ name }) => name !== 'decision')
      .map((field) => (field.name === 'event_id' ? { ...field, type: elsewhere } : field));
    expect(new Schemas().register(100, JSON.stringify({ ...outcome, fields }))).toBeNull();
  });

  it('reads what nests a record in itself, down to a bound', () => {
    const chain = {
      type: 'record',
      name: 'Chain',
      fields: [{ name: 'next', type: ['null', 'Chain'], default: null }],
    };
    const schemas = new Schemas();
    const fields = [{ name: 'chain', type: chain }, ...outcome.fields];
    const text = JSON.stringify({ ...outcome, fields });
    expect(schemas.register(100, text)).toBeNull();
    const links = (n: number) => [0, 0, 0, 0, 100, ...new Array(n).fill(2), 0];
    const rest = avro.Type.forSchema(outcome as avro.Schema).toBuffer({
      event_id: Buffer.alloc(16),
      occurred_at: 1,
      model: 'm',
      provider: 'p',
      status: 'success',
      duration_ms: 1,
    });
    const chained = (n: number) =>
      decode(Buffer.concat([Buffer.from(links(n)), rest]), {}, schemas);
    expect(chained(10)).toMatchObject({ type: 'RequestOutcome' });
    expect(chained(100_000)).toMatchObject({
      code: 'undecodable',
      rule: 'at most 32 levels deep',
      field: expect.stringMatching(/^chain\.next\.next/),
    });
  });

  it.each<[string, unknown, RegExp]>([
    ['an array of nulls', { type: 'array', items: 'null' }, /an item that takes no bytes/],
    ['a map of nulls', { type: 'array', items: { type: 'map', values: 'null' } }, /an item/],
    ['items without fields', { type: 'array', items: empty('E') }, /an item that takes no bytes/],
    ['fixed of no bytes', { type: 'array', items: { type: 'fixed', name: 'F', size: 0 } }, /item/],
    ['a field of null', 'null', /the field extra that takes no bytes/],
    ['a field without fields', empty('E'), /the field extra/],
    ['what is no type', 'nothing', /undefined type/],
  ])('refuses %s', (_name, type, reason) => {
    const text = JSON.stringify({
      ...outcome,
      fields: [...outcome.fields, { name: 'extra', type }],
    });
    const schemas = new Schemas();
    expect(schemas.register(100, text)).toMatch(reason);
    expect(schemas.writer(100)).toBeUndefined();
    expect(schemas.refusal(100)).toMatch(reason);
  });

  it.each(['toString', 'constructor', '__proto__', 'valueOf'])(
    'refuses a field by the name %s, after which avsc reads from the wrong place',
    (name) => {
      const fields = [{ name, type: 'int' }, ...outcome.fields];
      const refused = new Schemas().register(100, JSON.stringify({ ...outcome, fields }));
      expect(refused).not.toBeNull();
    },
  );

  it('refuses a schema that doubles itself thirty times over no bytes', () => {
    let type: unknown = empty('R0');
    for (let i = 1; i <= 30; i++) {
      const fields = [
        { name: 'a', type },
        { name: 'b', type: `R${i - 1}` },
      ];
      type = { type: 'record', name: `R${i}`, fields };
    }
    const fields = [...outcome.fields, { name: 'extra', type }];
    expect(new Schemas().register(100, JSON.stringify({ ...outcome, fields }))).toMatch(/no bytes/);
  });

  it('refuses what does not resolve: a field without which an outcome is none', () => {
    const fields = outcome.fields.filter(({ name }) => name !== 'model');
    expect(new Schemas().register(100, JSON.stringify({ ...outcome, fields }))).toMatch(/model/);
  });

  it('refuses what is too large', () => {
    const doc = 'x'.repeat(262_144);
    expect(new Schemas().register(100, JSON.stringify({ ...outcome, doc }))).toMatch(/over/);
  });

  it('keeps the meaning of an id: the same text again changes nothing, another is refused', () => {
    const schemas = new Schemas();
    const text = JSON.stringify(outcome);
    expect(schemas.register(100, text)).toBeNull();
    const writer = schemas.writer(100);
    expect(schemas.register(100, text)).toBeNull();
    expect(schemas.register(100, JSON.stringify({ ...outcome, doc: 'another' }))).toMatch(
      /otherwise/,
    );
    expect(schemas.writer(100)).toBe(writer);
  });

  it('holds a bounded number of schemas (I11)', () => {
    const schemas = new Schemas();
    const text = JSON.stringify({ type: 'record', name: 'Other', fields: [] });
    for (let id = 100; id < 1_100; id++) expect(schemas.register(id, text)).toBeNull();
    expect(schemas.register(1_100, text)).toMatch(/too many/);
  });
});

function empty(name: string): object {
  return { type: 'record', name, fields: [] };
}

/** Why one schema cannot read what another wrote; empty where it can. */
function reads(reader: string, writer: string): string {
  const type = (text: string) => avro.Type.forSchema(JSON.parse(text));
  try {
    type(reader).createResolver(type(writer));
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
