import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Access } from '../../src/access/access.js';
import type { Snapshot } from '../../src/route/snapshot.js';
import { accessOf, newKey } from '../access/keys.js';
import { AS_OF, measured, offering, tick } from '../route/fixtures.js';
import { appOf } from '../route/route-app.js';
import { AiRouter, until } from './airouter.js';

const program = process.env['TEST_BROWSER'];
const airouter = new AiRouter();
let browser: Browser;

const one = offering('gpt-x', 'openai');
const two = offering('gpt-x', 'azure.ai.openai', { region: 'eu' });
const healthy = (sooner: typeof one, other: typeof one): Snapshot =>
  measured([one, two], {
    ticks: {
      [sooner.offering]: [tick(0, { success: 40 }, { pace: -8 })],
      [other.offering]: [tick(0, { success: 40 }, { pace: 8 })],
    },
  });
const broken = measured([one, two], {
  ticks: {
    [one.offering]: [tick(0, { error: 30 })],
    [two.offering]: [tick(0, { success: 40 })],
  },
});

/** A router whose state and time the test holds. */
class SeededRouter {
  snapshot: Snapshot | null;
  nowMs = AS_OF * 1000;
  readonly #app: FastifyInstance;

  constructor(snapshot: Snapshot | null, access?: Access) {
    this.snapshot = snapshot;
    this.#app = appOf(null, {
      snapshotSource: { current: () => this.snapshot },
      clock: { nowMs: () => this.nowMs },
      ...(access !== undefined && { access }),
    }).app;
    onTestFinished(() => this.close());
  }

  async listen(port = 0): Promise<string> {
    await this.#app.listen({ port, host: '127.0.0.1' });
    return `http://127.0.0.1:${(this.#app.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#app.server.closeAllConnections();
    await this.#app.close();
  }
}

interface Opened {
  page: Page;
  /** Errors, warnings and breaches of the policy that the browser told. */
  complaints: string[];
}

async function open(url: string, width = 1280, colorScheme: 'light' | 'dark' = 'light') {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const opened: Opened = { page, complaints: [] };
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) opened.complaints.push(message.text());
  });
  page.on('pageerror', (error) => opened.complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(new URL(url).origin)) opened.complaints.push(request.url());
  });
  await page.goto(url);
  return opened;
}

const shareOf = (page: Page, { offering: key }: typeof one) =>
  page.locator(`tr[data-offering="${key}"] .share .number`);
/** A share below a tenth of a percent is shown as `< 0.1 %`. */
const percentOf = async (page: Page, of: typeof one) => {
  const text = (await shareOf(page, of).textContent()) ?? '';
  return text.startsWith('<') ? 0 : Number.parseFloat(text);
};
const notice = (page: Page) => page.locator('#notices');

describe.skipIf(!program)('the dashboard in a browser', () => {
  beforeAll(async () => {
    // Its own sandbox needs rights that containers lack; it opens our page alone.
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    browser = await chromium.launch({ executablePath: program!, args });
  });
  afterAll(async () => {
    await browser?.close();
    await airouter.close();
  });

  it.each([360, 1600])('shows the offerings of the state at a width of %i', async (width) => {
    const url = await new SeededRouter(healthy(one, two)).listen();
    const { page, complaints } = await open(url, width, width === 360 ? 'dark' : 'light');
    await page.getByRole('heading', { name: 'gpt-x' }).waitFor();
    const rows = page.getByRole('table').getByRole('row');
    expect(await rows.count()).toBe(1 + 2);
    expect(await rows.nth(1).textContent()).toContain('azure.ai.openai');
    expect(await rows.nth(2).textContent()).toContain('openai');
    expect((await percentOf(page, one)) + (await percentOf(page, two))).toBeCloseTo(100, 0);
    expect(await page.getByRole('img', { name: /^Shares of first choice of gpt-x/ }).count()).toBe(
      1,
    );
    expect(await notice(page).textContent()).toBe('');
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    expect(overflow).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('shows a changed share, and a breaker that opened', async () => {
    const router = new SeededRouter(healthy(one, two));
    const { page, complaints } = await open(await router.listen());
    await until(async () => (await percentOf(page, one)) > 90);
    router.snapshot = healthy(two, one);
    await until(async () => (await percentOf(page, two)) > 90);
    expect(await percentOf(page, one)).toBeLessThan(10);

    router.snapshot = broken;
    const trouble = page.getByRole('link', { name: 'gpt-x at openai: open · failures' });
    await trouble.waitFor();
    await until(async () => /open · failures/.test(await page.getByRole('status').innerText()));
    expect(await shareOf(page, one).textContent()).toBe('0\u00a0%');
    await trouble.focus();
    await page.keyboard.press('Enter');
    expect(new URL(page.url()).hash).toBe('#model-gpt-x');
    expect(complaints).toEqual([]);
  });

  it('says that the state is stale', async () => {
    const router = new SeededRouter(healthy(one, two));
    const { page } = await open(await router.listen());
    await page.getByText('< 1 s old').waitFor();
    router.nowMs += 60_000;
    await notice(page).getByText('The state is stale.').waitFor();
    await page.getByText(/^6\d s old · stale$/).waitFor();
  });

  it('keeps the last numbers when the router is gone, says so, and goes on when it is back', async () => {
    const router = new SeededRouter(healthy(one, two));
    const url = await router.listen();
    const { page } = await open(url);
    await until(async () => (await percentOf(page, one)) > 90);
    await router.close();
    await notice(page).getByText('The router does not answer.').waitFor();
    expect(await page.getByRole('status').innerText()).toContain('The router does not answer.');
    expect(await percentOf(page, one)).toBeGreaterThan(90);

    await new SeededRouter(healthy(two, one)).listen(Number(new URL(url).port));
    await until(async () => (await percentOf(page, two)) > 90);
    expect(await notice(page).textContent()).toBe('');
  });

  it('says what to do where there is no state, and where nothing was measured', async () => {
    const router = new SeededRouter(null);
    const { page } = await open(await router.listen());
    await notice(page).getByText('airouter project').waitFor();
    router.snapshot = measured([one]);
    await notice(page).getByText('/v1/outcomes').waitFor();
    await page.getByRole('searchbox', { name: 'Find a model' }).fill('GPT');
    await page.getByRole('heading', { name: 'gpt-x' }).waitFor();
    await page.getByText('Nothing was measured').waitFor();
    await page.getByRole('searchbox').fill('<b>x');
    await notice(page).getByText('No model’s name contains “<b>x”.').waitFor();
  });

  it('asks for a key where the router does, keeps it in the tab, and forgets it', async () => {
    const { text, key } = newKey({ scopes: ['analyst'] });
    const wrong = newKey({ scopes: ['ingest'] });
    const router = new SeededRouter(healthy(one, two), accessOf(key, wrong.key));
    const { page } = await open(await router.listen());
    const field = page.getByLabel('Access key of scope route or analyst');
    await notice(page).getByText('The router asks for an access key.').waitFor();
    await field.fill('no key');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
    await field.fill(wrong.text);
    await page.keyboard.press('Enter');
    await notice(page).getByText('must have the scope').waitFor();
    await field.fill(` ${text}`);
    await page.getByRole('button', { name: 'Use it in this tab' }).click();
    await page.getByRole('heading', { name: 'gpt-x' }).waitFor();
    expect(await field.isVisible()).toBe(false);
    await page.reload();
    await page.getByRole('heading', { name: 'gpt-x' }).waitFor();
    await page.getByRole('button', { name: 'Forget the key' }).click();
    await notice(page).getByText('a key is needed').waitFor();
    expect(await page.evaluate('sessionStorage.length + localStorage.length')).toBe(0);
    expect(page.url()).not.toContain('air_');
  });

  it('asks nothing while it is hidden', async () => {
    const { page } = await open(await new SeededRouter(healthy(one, two)).listen());
    await page.getByRole('heading', { name: 'gpt-x' }).waitFor();
    const setHidden = (isHidden: boolean) =>
      page.evaluate(`
        Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      `);
    await setHidden(true);
    let asked = 0;
    page.on('request', () => {
      asked += 1;
    });
    // Two turns of the page's own second.
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 2200))');
    expect(asked).toBe(0);
    await setHidden(false);
    await until(async () => asked > 0);
  });

  it('is served by the built router, which has no catalogue until one is imported', async () => {
    const dataDir = await airouter.newDataDir();
    const all = await airouter.startAll(dataDir);
    const { page, complaints } = await open(await all.url());
    await notice(page).getByText('airouter catalogue import').waitFor();
    expect((await airouter.run(dataDir, ['catalogue', 'import'])).code).toBe(0);
    await notice(page).getByText('No outcomes in the last 30 minutes.').waitFor();
    const sent = await all.ask('/v1/outcomes', {
      outcomes: [
        {
          source: 'test',
          id: '1',
          occurred_at: Date.now(),
          model: 'gpt-4o',
          provider: 'openai',
          http_status: 200,
          duration_ms: 900,
        },
      ],
    });
    expect(sent.status).toBe(202);
    await page.getByRole('heading', { name: 'gpt-4o' }).waitFor();
    expect(complaints.filter((text) => !text.includes('503'))).toEqual([]);
    await all.signal('SIGTERM');
    await notice(page).getByText('The router does not answer.').waitFor();
  });
});
