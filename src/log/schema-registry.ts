import { AiRouterError } from '../errors.js';

/** A registry that speaks Confluent's REST protocol. */
export interface SchemaRegistry {
  /**
   * Text of the schema; null = the registry answers that it has none under this id (404).
   *
   * @throws AiRouterError schema_registry_unavailable
   */
  schema(id: number): Promise<string | null>;
}

/** Longer than a registry near by ever takes; a partition waits meanwhile. */
const TIMEOUT_MS = 5_000;
/** Four times the largest schema that is accepted, as JSON. */
const ANSWER_BYTES_MAX = 1_048_576;

/** `url` may hold a user and a password; no error text holds any part of it. */
export function createSchemaRegistry(url: string, timeoutMs = TIMEOUT_MS): SchemaRegistry {
  const base = new URL(url);
  const { username, password } = base;
  const headers: Record<string, string> = {
    accept: 'application/vnd.schemaregistry.v1+json, application/json',
  };
  if (username !== '' || password !== '') {
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    headers['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`;
  }
  base.username = '';
  base.password = '';
  const root = `${base.origin}${base.pathname.replace(/\/+$/, '')}`;
  return {
    async schema(id) {
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        const response = await fetch(`${root}/schemas/ids/${id}${base.search}`, {
          headers,
          signal,
        });
        if (response.ok) return schemaIn(await boundedText(response));
        await response.body?.cancel();
        if (response.status === 404) return null;
        throw new Error(`it answers with status ${response.status}`);
      } catch (error) {
        throw unavailable(id, error);
      }
    },
  };
}

function schemaIn(body: string): string {
  const answer = JSON.parse(body) as { schema?: unknown } | null;
  const schema = answer?.schema;
  if (typeof schema === 'string' && schema !== '') return schema;
  throw new Error('its answer has no schema');
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += (chunk as Uint8Array).length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`its answer is over ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The cause is left out: what the client says of a call may hold its address. */
function unavailable(id: number, error: unknown): AiRouterError {
  return new AiRouterError(
    'schema_registry_unavailable',
    `the schema registry cannot be asked for id ${id}: ${reasonOf(error)}`,
  );
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'TimeoutError') return 'it does not answer in time';
  if (error instanceof SyntaxError) return 'its answer is no JSON';
  const code = (error.cause as { code?: string } | undefined)?.code;
  if (code !== undefined) return code;
  return error instanceof TypeError ? 'it cannot be reached' : error.message;
}
