/**
 * `npm run mutations [-- --only TEXT]`: breaks the product in known ways, one at a time and in a
 * copy, and sees whether the check that should find it does. Exits 1 where one does not.
 */
import { parseArgs } from 'node:util';
import { redOf } from './check.js';
import { MUTATIONS } from './list.js';
import type { Check, Mutation } from './mutation.js';
import { Tree } from './tree.js';

process.exitCode = main();

function main(): number {
  const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
  const chosen = MUTATIONS.filter(({ name }) => name.includes(values.only));
  if (chosen.length === 0) {
    process.stderr.write(`no mutation has "${values.only}" in its name\n`);
    return 2;
  }
  const tree = new Tree();
  try {
    return tryAll(tree, chosen);
  } finally {
    tree.remove();
  }
}

/** Where a service cannot be had, its tests do not run: named, and a failure only with CI=true. */
function tryAll(tree: Tree, mutations: readonly Mutation[]): number {
  const unchanged = checkUnchanged(tree, mutations);
  if (typeof unchanged === 'string') {
    process.stderr.write(`without any mutation: ${unchanged}\n`);
    return 1;
  }
  const trials = mutations.map((mutation) => {
    const isRun = unchanged.has(keyOf(mutation.check));
    const trial = isRun ? tryOut(tree, mutation) : notRun();
    report(mutation, trial);
    return trial.result;
  });
  const count = (result: Trial['result']): number => trials.filter((one) => one === result).length;
  const [found, left] = [count('found'), count('not run')];
  process.stdout.write(`${found} of ${mutations.length} found, ${left} not run\n`);
  const isSkipAllowed = process.env['CI'] !== 'true';
  return found + (isSkipAllowed ? left : 0) === mutations.length ? 0 : 1;
}

/** A check that is red already proves nothing. The checks that run, or what is red. */
function checkUnchanged(tree: Tree, mutations: readonly Mutation[]): Set<string> | string {
  const compiled = tree.run('tsc');
  if (compiled.code !== 0) return compiled.output;
  const checks = new Map(mutations.map(({ check }) => [keyOf(check), check]));
  const running = new Set<string>();
  for (const [key, check] of checks) {
    const red = redOf(tree, check);
    if (red === null) continue;
    if (red.length > 0) return red.join('\n');
    running.add(key);
  }
  return running;
}

function keyOf(check: Check): string {
  return JSON.stringify(check);
}

interface Trial {
  result: 'found' | 'survives' | 'not run';
  /** What turned red, or why nothing could be said. */
  text: string;
}

function notRun(): Trial {
  return { result: 'not run', text: 'its service cannot be had here' };
}

function tryOut(tree: Tree, mutation: Mutation): Trial {
  const undo = tree.apply(mutation);
  try {
    const compiled = tree.run('tsc');
    if (compiled.code !== 0)
      return { result: 'survives', text: `does not compile: ${compiled.output}` };
    const red = redOf(tree, mutation.check) ?? [];
    const found = red.find((text) =>
      namesOf(text).some((name) => mutation.invariants.includes(name)),
    );
    if (found !== undefined) return { result: 'found', text: found };
    return {
      result: 'survives',
      text: red.length === 0 ? 'nothing is red' : `red: ${red.join(', ')}`,
    };
  } finally {
    undo();
  }
}

function namesOf(text: string): string[] {
  return text.match(/\bI\d{1,2}\b/g) ?? [];
}

function report({ name, check }: Mutation, { result, text }: Trial): void {
  const by = check.by === 'simulation' ? 'simulation' : check.file;
  const line = text.split('\n')[0]!.slice(0, 160);
  process.stdout.write(`${result.padEnd(9)}${name}\n         by ${by}: ${line}\n`);
}
