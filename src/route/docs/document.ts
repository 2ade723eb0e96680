import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifySchema, RouteOptions } from 'fastify';
import { packageRoot } from '../../package-root.js';
import { EXAMPLES } from './examples.js';
import { problemResponses } from './problems.js';

/** How the document is made: what is not in the routes' own schemas. */
export function documentOptions(): FastifyDynamicSwaggerOptions {
  const text = readFileSync(join(packageRoot, 'package.json'), 'utf8');
  const { version, license } = JSON.parse(text) as { version: string; license: string };
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'AiRouter',
        version,
        license: { name: license, identifier: license } as { name: string },
        description:
          'Where the next AI request should go, and how the last ones ended. Names are snake_case; ' +
          'times are milliseconds since the Unix epoch, money is nano-USD, unless a name says ' +
          'otherwise. Null is unknown, which is never 0. Nothing is coerced, and an unknown field ' +
          'is an error.',
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'route', description: 'Where to send a request, and why.' },
        { name: 'read', description: 'What is known of models, providers and the router.' },
        { name: 'write', description: 'How requests ended.' },
        { name: 'operate', description: 'For orchestrators and operators.' },
      ],
      components: {
        securitySchemes: {
          key: {
            type: 'http',
            scheme: 'bearer',
            description: 'An access key. Where none are set, this machine alone is served.',
          },
        },
      },
      // The second: without a file of keys, this machine is served as it is.
      security: [{ key: [] }, {}],
    },
    hideUntagged: true,
    transform: ({ schema, url, route }) => ({
      url,
      schema: documentedSchema(schema ?? {}, route),
    }),
  };
}

type Documented = FastifySchema & { operationId?: string; description?: string };

function withScopes(description: string | undefined, scopes: readonly string[]): string {
  const sentence = `A key must have the scope ${scopes.map((it) => `\`${it}\``).join(' or ')}.`;
  return description === undefined ? sentence : `${description} ${sentence}`;
}

function documentedSchema(schema: Documented, route: RouteOptions): FastifySchema {
  const { problems, isPublic, documentedBody, scopes } = route.config ?? {};
  const { body, answer } = EXAMPLES[schema.operationId ?? ''] ?? {};
  const hasBody = schema.body !== undefined;
  return {
    ...schema,
    ...(isPublic === true && { security: [] }),
    ...(scopes !== undefined && { description: withScopes(schema.description, scopes) }),
    ...(hasBody && { body: withExample(documentedBody?.() ?? schema.body, body) }),
    response: {
      ...successes(schema, answer),
      ...problemResponses({ problems, isPublic, takesBody: route.method === 'POST' }),
    },
  };
}

function successes(schema: FastifySchema, answer: object | undefined): Record<string, unknown> {
  const responses = Object.entries((schema.response ?? {}) as Record<string, object>);
  return Object.fromEntries(
    responses
      .filter(([status]) => /^[23]\d\d$/.test(status))
      .map(([status, one]) => [
        status,
        status.startsWith('2')
          ? { description: 'As asked for.', ...withExample(one, answer) }
          : one,
      ]),
  );
}

function withExample(schema: unknown, example: object | undefined): object {
  return { ...(schema as object), ...(example !== undefined && { examples: [example] }) };
}
