import { constants } from 'node:zlib';
import compress, { type FastifyCompressOptions } from '@fastify/compress';
import type { FastifyInstance } from 'fastify';

/**
 * Bodies below it fit into one packet as they are. The levels are those that take a millisecond
 * for 100 kB: the default of Brotli takes hundreds.
 */
const COMPRESSION: FastifyCompressOptions = {
  threshold: 1400,
  encodings: ['br', 'gzip'],
  requestEncodings: ['identity'],
  brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } },
  zlibOptions: { level: 6 },
};

/** Adds routes whose large answers are compressed for who accepts it; other routes do not pay. */
export function registerCompressed(
  app: FastifyInstance,
  register: (compressed: FastifyInstance) => void,
): void {
  app.register(async (compressed) => {
    await compressed.register(compress, COMPRESSION);
    register(compressed);
  });
}
