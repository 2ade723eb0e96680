import { expect, test } from 'vitest';
import { functionsOf, sourceOf } from './source.js';

test('comments, strings, templates and patterns are blanked and the code of templates is not', () => {
  const text = [
    "const a = 'Date.now() {'; // Math.random() {",
    'const b = `{ @{call({ x: `in @{deep} {` })} }`;'.replaceAll('@', '$'),
    'const c = /[/{]"/.test(a) ? 1 / 2 : 3 / 4; /* { */',
  ].join('\n');
  const { code } = sourceOf('a.ts', text);
  expect(code).toHaveLength(text.length);
  expect(code).not.toMatch(/Date|Math|"|in /);
  expect(code).toContain('call({ x:');
  expect(code).toContain('deep');
  expect(code).toContain('1 / 2 : 3 / 4;');
  expect(code.split('{')).toHaveLength(code.split('}').length);
});

test('imports are found with their targets, and those of types alone are told apart', () => {
  const text = `
import { a, type B } from './b.js';
import type { C } from '../c/d.js';
import { type E, type F } from 'pg';
import '@scope/name/deep';
export * from './g.js';
const later = await import('node:fs');`;
  expect(sourceOf('src/x/a.ts', text).imports).toEqual([
    { target: 'src/x/b.ts', isOwn: true, isTypeOnly: false },
    { target: 'src/c/d.ts', isOwn: true, isTypeOnly: true },
    { target: 'pg', isOwn: false, isTypeOnly: true },
    { target: '@scope/name', isOwn: false, isTypeOnly: false },
    { target: 'src/x/g.ts', isOwn: true, isTypeOnly: false },
    { target: 'node:fs', isOwn: false, isTypeOnly: false },
  ]);
});

test('functions, methods and arrows are measured from head to closing brace', () => {
  const text = `export async function one<T>(
  a: { b: T },
): Promise<{ c: T }> {
  if (a) {
    call(a);
  }
  return { c: a.b };
}
class Two {
  #three(x = () => 1): { y: number } {
    return { y: x() };
  }
  declared(a: string): void;
}
const four = (a: number) => {
  return a;
};
`;
  expect(functionsOf(sourceOf('a.ts', text))).toEqual([
    { name: 'one', line: 1, lines: 8 },
    { name: '#three', line: 10, lines: 3 },
    { name: 'arrow', line: 15, lines: 3 },
  ]);
});
