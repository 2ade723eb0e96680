const string = { type: 'string' };
const integer = { type: 'integer' };
const list = { type: 'array' };
const counts = {
  accepted: integer,
  rejected: integer,
  errors: {
    type: 'array',
    items: {
      type: 'object',
      properties: { list: string, index: integer, field: string, rule: string, code: string },
    },
  },
};

/** RFC 9457, with what is wrong with each item where every one of them is. */
const problem = {
  type: 'object',
  properties: {
    type: string,
    title: string,
    status: integer,
    code: string,
    detail: string,
    field: string,
    rule: string,
    ...counts,
  },
};

/** A body with these lists. Items are judged one by one, so that one bad item spoils no other. */
export function bodyOf(...lists: string[]) {
  return {
    body: {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(lists.map((name) => [name, list])),
    },
    response: {
      202: { type: 'object', properties: counts },
      '4xx': problem,
      '5xx': problem,
    },
  };
}
