import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderEvents } from '../../ops/docs/events.js';
import { RULES } from '../../src/event/rules.js';
import { readShippedSchemas } from '../../src/event/schemas.js';
import { packageRoot } from '../../src/package-root.js';

const page = renderEvents();

describe('docs/events.md', () => {
  it('is what the schemas and the rules say', () => {
    expect(readFileSync(join(packageRoot, 'docs/events.md'), 'utf8')).toBe(page);
  });

  it('shows every field of every record, and every rule at a field that there is', () => {
    for (const { subject, text } of readShippedSchemas()) {
      const name = subject.replace('ai.router.', '');
      const section = page.split(/^## /m).find((it) => it.startsWith(`${name}\n`))!;
      for (const field of JSON.parse(text).fields as { name: string; doc?: string }[]) {
        expect(section).toContain(`| \`${field.name}\` |`);
        expect(field.doc).toMatch(/\.$/);
      }
      for (const { field, rule } of RULES[name] ?? []) {
        const row = section.split('\n').find((line) => line.startsWith(`| \`${field}\` |`));
        expect(row).toContain(rule);
      }
    }
  });
});
