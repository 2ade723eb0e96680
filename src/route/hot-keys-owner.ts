import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { requireLocal } from '../access/local-access.js';
import { AiRouterError } from '../errors.js';
import { handleHotKeysCall, LOOPBACK_BODY_BYTES_MAX } from '../hotkeys/loopback-server.js';
import type { HotKeys } from '../hotkeys/port.js';

/**
 * Serves the hot keys of this process to processes of the same folder: the token stands in a file
 * that only their user can read.
 */
export function registerHotKeysOwner(app: FastifyInstance, hotKeys: HotKeys, token: string): void {
  const expected = Buffer.from(`Bearer ${token}`);
  app.post(
    '/internal/hotkeys',
    {
      bodyLimit: LOOPBACK_BODY_BYTES_MAX,
      async onRequest(request) {
        requireLocal(request);
        const given = Buffer.from(request.headers.authorization ?? '');
        if (given.length === expected.length && timingSafeEqual(given, expected)) return;
        throw new AiRouterError('unauthorized', 'the token of the data folder is missing or wrong');
      },
    },
    async (request, reply) => {
      const result = await handleHotKeysCall(hotKeys, request.body);
      reply.type('application/json');
      return JSON.stringify(result);
    },
  );
}
