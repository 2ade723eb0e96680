import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { AccessKey } from '../../src/access/access-key.js';
import { changeKeysFile, readKeysFile } from '../../src/access/keys-file.js';
import { formatKeys, parseKeys } from '../../src/access/keys-text.js';
import { watchKeys } from '../../src/access/watched-keys.js';
import { newKey } from './keys.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airouter-keys-'));
  path = join(folder, 'keys.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const add = (key: AccessKey) =>
  changeKeysFile(path, (keys) => ({ keys: [...keys, key], result: keys.length }));

describe('the text of a file of keys', () => {
  const { key } = newKey({ expiresAtMs: Date.UTC(2027, 0, 1), requestsPerSecond: 5 });
  const line = (fields: object) => JSON.stringify({ ...JSON.parse(formatKeys([key])), ...fields });

  it('is read as it was written, also with only what must be there', () => {
    expect(parseKeys(formatKeys([key]), path)).toEqual([key]);
    const { expires_at, revoked_at, requests_per_second, ...least } = JSON.parse(formatKeys([key]));
    expect([expires_at, revoked_at, requests_per_second]).toEqual([
      '2027-01-01T00:00:00.000Z',
      null,
      5,
    ]);
    expect(parseKeys(`\n${JSON.stringify(least)}\r\n\n`, path)).toEqual([
      { ...key, expiresAtMs: null, requestsPerSecond: null },
    ]);
    expect(parseKeys('', path)).toEqual([]);
  });

  it.each<[string, string, RegExp]>([
    ['no JSON', '{"id":', /the line must be a JSON object/],
    ['a list', '[]', /the line must be a JSON object/],
    ['an unknown field', line({ expire_at: null }), /each field must be one of id, hash/],
    ['__proto__', '{"__proto__":{"id":"x"}}', /each field must be one of/],
    ['no id', line({ id: undefined }), /id must be 12 hex digits/],
    ['the hash in capitals', line({ hash: key.hash.toUpperCase() }), /hash must be 64 hex/],
    ['no tenant', line({ tenant: undefined }), /tenant must be a name/],
    ['an empty tenant', line({ tenant: '' }), /tenant must be a name/],
    ['no scopes', line({ scopes: [] }), /scopes must be a list of route, ingest/],
    ['an unknown scope', line({ scopes: ['root'] }), /scopes must be a list/],
    ['a scope twice', line({ scopes: ['route', 'route'] }), /scopes must be a list/],
    ['a time without a zone', line({ expires_at: '2027-01-01' }), /expires_at must be a time/],
    ['a day that is none', line({ revoked_at: '2027-13-01T00:00:00Z' }), /revoked_at must be/],
    ['a limit of 0', line({ requests_per_second: 0 }), /requests_per_second must be an integer/],
    ['an id twice', `${line({})}\n${line({})}`, /line 2: id must be that of no other line/],
  ])('%s is refused in one sentence, without its value', (_name, text, message) => {
    expect(() => parseKeys(text, path)).toThrow(message);
    expect(() => parseKeys(text, path)).toThrow(
      expect.objectContaining({ code: 'invalid_setting' }),
    );
    expect(() => parseKeys(text, path)).not.toThrow(key.hash);
  });

  it('I12 of a key that was pasted for its hash says nothing', () => {
    const { text } = newKey();
    for (const bad of [text, line({ hash: text }), line({ id: text }), line({ [text]: 1 })]) {
      expect(() => parseKeys(bad, path)).not.toThrow(text.slice(-64));
    }
  });
});

describe('a file of keys', () => {
  it('is made for its user alone, and grows', async () => {
    expect([await add(newKey().key), await add(newKey().key)]).toEqual([0, 1]);
    expect(await readKeysFile(path)).toHaveLength(2);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('has the changes of all who change it at once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => add(newKey().key)));
    expect(await readKeysFile(path)).toHaveLength(20);
  });

  it('stays as it was where a change fails, and can be changed again', async () => {
    await add(newKey().key);
    const before = readFileSync(path, 'utf8');
    const fail = () => {
      throw new Error('no');
    };
    await expect(changeKeysFile(path, fail)).rejects.toThrow('no');
    expect(readFileSync(path, 'utf8')).toBe(before);
    expect(await add(newKey().key)).toBe(1);
  });

  it('that is bad is not overwritten', async () => {
    writeFileSync(path, 'mine\n');
    await expect(add(newKey().key)).rejects.toMatchObject({ code: 'invalid_setting' });
    expect(readFileSync(path, 'utf8')).toBe('mine\n');
  });

  it('that is not there, is a folder or is too large is an error that names it', async () => {
    await expect(readKeysFile(path)).rejects.toThrow(`${path} must be a file that can be used`);
    await expect(readKeysFile(folder)).rejects.toThrow(/EISDIR/);
    writeFileSync(path, Buffer.alloc(16 * 1024 * 1024 + 1));
    await expect(readKeysFile(path)).rejects.toThrow(/at most 16777216 bytes/);
  });
});

describe('watched keys', () => {
  const LOOK_MS = 5;
  const watched = async () => {
    const lines: string[] = [];
    const log = (_: unknown, text?: string) => void lines.push(text ?? '');
    const { ring, close } = await watchKeys(path, { info: log, warn: log }, LOOK_MS);
    onTestFinished(close);
    return { ring, lines };
  };
  const wait = { timeout: 20_000, interval: 5 };

  it('change with their file, and a limit goes on with what it has used', async () => {
    const first = newKey({ requestsPerSecond: 10 });
    await add(first.key);
    const { ring } = await watched();
    const { limit } = ring.find(first.text)!;
    const second = newKey();
    await add(second.key);
    await vi.waitFor(() => expect(ring.find(second.text)).not.toBeNull(), wait);
    expect(ring.find(first.text)!.limit).toBe(limit);
    await changeKeysFile(path, (keys) => ({
      keys: keys.map((key) => ({ ...key, revokedAtMs: 1 })),
      result: null,
    }));
    await vi.waitFor(() => expect(ring.find(first.text)!.key.revokedAtMs).toBe(1), wait);
  });

  it('stay as they were while the file is bad or away, which is said once', async () => {
    const { text, key } = newKey();
    await add(key);
    const { ring, lines } = await watched();
    await writeFile(path, 'half a li');
    await vi.waitFor(() => expect(lines).toHaveLength(1), wait);
    await new Promise((resolve) => setTimeout(resolve, 10 * LOOK_MS));
    expect(lines).toEqual([expect.stringMatching(/those read last stay in force/)]);
    expect(ring.find(text)).not.toBeNull();
    await rename(path, `${path}.away`);
    await vi.waitFor(() => expect(lines).toHaveLength(2), wait);
    expect(ring.find(text)).not.toBeNull();
    const next = newKey();
    await add(next.key);
    await vi.waitFor(() => expect(ring.find(next.text)).not.toBeNull(), wait);
    expect(ring.find(text)).toBeNull();
  });

  it('that are bad at the start are an error', async () => {
    writeFileSync(path, '{}\n');
    await expect(watched()).rejects.toMatchObject({ code: 'invalid_setting' });
  });
});
