const string = { type: 'string' };
const integer = { type: 'integer' };

const itemError = { list: string, index: integer, field: string, rule: string, code: string };
const counts = {
  accepted: integer,
  rejected: integer,
  errors: {
    type: 'array',
    items: { type: 'object', required: Object.keys(itemError), properties: itemError },
  },
};

/** A body with these lists. Items are judged one by one, so that one bad item spoils no other. */
export function schemaOf(about: { operationId: string; summary: string }, lists: string[]) {
  return {
    ...about,
    tags: ['write'],
    body: {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(lists.map((name) => [name, { type: 'array' }])),
    },
    response: {
      202: {
        type: 'object',
        required: Object.keys(counts),
        properties: counts,
        description: 'Every accepted item is in the log; `errors` names the others.',
      },
    },
  };
}
