import { afterEach, expect, it } from 'vitest';
import { createServer } from '../../src/route/server.js';

const lines: object[] = [];
const app = createServer({
  error: (fields: object, message: string) => void lines.push({ ...fields, message }),
} as never);
afterEach(() => app.close());

it('goes on where the system could not hand a connection over, and says so seldom', async () => {
  app.get('/', async () => ({}));
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  for (let n = 0; n < 3; n += 1) app.server.emit('error', new Error('accept ENFILE'));
  expect((await fetch(url)).status).toBe(200);
  expect(lines).toEqual([
    { reason: 'accept ENFILE', times: 1, message: 'A connection could not be accepted.' },
  ]);
});
