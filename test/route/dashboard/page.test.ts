import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../src/package-root.js';
import { appOf } from '../route-app.js';

const folder = join(packageRoot, 'src', 'route', 'dashboard', 'page');
const { app } = appOf();
const get = (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers });

test('every file of the page is served, with headers that bind the browser', async () => {
  const files = readdirSync(folder).filter((name) => name !== 'tsconfig.json');
  expect(files).toContain('index.html');
  for (const name of files) {
    const answer = await get(name === 'index.html' ? '/' : `/dashboard/${name}`);
    expect([name, answer.statusCode]).toEqual([name, 200]);
    expect(answer.body).toBe(readFileSync(join(folder, name), 'utf8'));
    const policy = String(answer.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(answer.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-cache',
    });
  }
});

test('nothing but the files of the page is served', async () => {
  for (const url of ['/dashboard/', '/dashboard/tsconfig.json', '/dashboard/../app.js']) {
    expect([url, (await get(url)).statusCode]).toEqual([url, 404]);
  }
  expect((await get('/dashboard/%2e%2e%2fassets.ts')).statusCode).toBe(404);
});

test('a file is not sent again to who has it', async () => {
  const { headers } = await get('/dashboard/main.js');
  const again = await get('/dashboard/main.js', { 'if-none-match': String(headers['etag']) });
  expect([again.statusCode, again.body]).toEqual([304, '']);
  expect(again.headers['content-security-policy']).toBeDefined();
});

test('only this machine is served while there are no keys', async () => {
  for (const url of ['/', '/dashboard/main.js', '/v1/board']) {
    const answer = await app.inject({ url, remoteAddress: '192.0.2.1' });
    expect([url, answer.statusCode]).toEqual([url, 403]);
  }
});

test('the page needs no other host, and no inline script or style', () => {
  const page = readFileSync(join(folder, 'index.html'), 'utf8');
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=/);
  for (const name of readdirSync(folder)) {
    const text = readFileSync(join(folder, name), 'utf8');
    const addresses = text.match(/https?:\/\/[^\s"'`]+/g) ?? [];
    const namespaces = ['http://www.w3.org/2000/svg'];
    expect([name, addresses.filter((url) => !namespaces.includes(url))]).toEqual([name, []]);
    expect([name, /innerHTML|insertAdjacentHTML|\beval\b/.test(text)]).toEqual([name, false]);
  }
});

test('what the page names of its own is there', () => {
  for (const name of readdirSync(folder)) {
    const text = readFileSync(join(folder, name), 'utf8');
    const named = [...text.matchAll(/"\/dashboard\/([^"]+)"|from '\.\/([^']+)'/g)];
    const missing = named.map(([, a, b]) => a ?? b!).filter((it) => !existsSync(join(folder, it)));
    expect([name, missing]).toEqual([name, []]);
  }
});

test('the types of the page hold', () => {
  const compiler = join(packageRoot, 'node_modules', '.bin', 'tsc');
  const { stdout } = spawnSync(compiler, ['-p', folder], { encoding: 'utf8' });
  expect(stdout).toBe('');
});
