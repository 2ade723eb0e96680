import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/package-root.js';
import { makePolicy } from '../../src/route/policy.js';
import { policySchema } from '../../src/route/policy-schema.js';

const page = readFileSync(join(packageRoot, 'docs', 'policies.md'), 'utf8');
const examples = [...page.matchAll(/```json policy\n([^`]*)```/g)].map(([, text]) => text!);

it('docs/policies.md: every example is a policy', () => {
  expect(examples.length).toBeGreaterThan(3);
  for (const text of examples) expect(makePolicy(JSON.parse(text)).hash).toMatch(/^[0-9a-f]{64}$/);
});

it('docs/policies.md: every field of a policy is told', () => {
  const table = page.slice(page.indexOf('## Fields'), page.indexOf('## Splits'));
  for (const field of Object.keys(policySchema.properties)) expect(table).toContain(`\`${field}\``);
});
