import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { registerCompressed } from '../compression.js';
import { readIcon } from '../dashboard/assets.js';
import { documentOptions } from './document.js';

/** Everything that the page loads is in its package; what it asks is this server. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  // Its script sets styles of its own making.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * The API as an OpenAPI 3.1 document, made from the schemas of the routes, at `/docs/json`, and a
 * page to read and try it, at `/docs`. Only routes that are registered later, and within a
 * plugin, are in it. It says what every installation says, so it asks for no key; it runs as the
 * server starts and when it is read, and no other request pays for it.
 */
export function registerDocs(app: FastifyInstance): void {
  const icon = readIcon();
  app.register(swagger, documentOptions());
  registerCompressed(app, (compressed) => {
    compressed.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: PAGE_POLICY,
      theme: {
        title: 'AiRouter API',
        favicon: [
          { filename: 'icon.svg', rel: 'icon', sizes: 'any', type: 'image/svg+xml', content: icon },
        ],
      },
      logo: { type: 'image/svg+xml', content: icon, href: '/docs' },
      uiConfig: { validatorUrl: null, tryItOutEnabled: true, persistAuthorization: false },
    });
  });
}
