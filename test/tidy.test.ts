import { readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PAGES } from '../ops/docs/pages.js';
import { packageRoot } from '../src/package-root.js';
import {
  CLIENT_LIBRARIES,
  COLUMNS_MAX,
  COMMENT_COLUMNS_MAX,
  FILE_LINES_MAX,
  FUNCTION_LINES_MAX,
  LARGER_FILES,
  LARGER_FUNCTIONS,
  MACHINE_PATHS,
  PURE,
  SHARED,
  STARTED_BY_NAME,
  TEST_FILE_LINES_MAX,
  UNIMPORTED_DEPENDENCIES,
  VOCABULARY,
  WIRING,
} from './tidy/rules.js';
import { allFiles, functionsOf, readSources, type Source } from './tidy/source.js';

// The rules of the code base, read off its text. What breaks one is listed by file and line;
// exceptions stand in tidy/rules.ts, each with its reason.

const sources = readSources('src', 'ops', 'bench', 'test');
const product = sources.filter(({ path }) => path.startsWith('src/'));
const isBelow = (path: string, folders: readonly string[]) =>
  folders.some((folder) => path === folder || (folder.endsWith('/') && path.startsWith(folder)));

/** `path:line` of each place of the code (comments and strings aside) that matches. */
function placesOf({ path, code }: Source, pattern: RegExp): string[] {
  return code
    .split('\n')
    .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []));
}

test('a client library is imported only in the folders that own it', () => {
  const breaches = product.flatMap(({ path, imports }) =>
    imports
      .filter(({ isTypeOnly }) => !(isTypeOnly && isBelow(path, WIRING)))
      .filter(({ target }) => !isBelow(path, CLIENT_LIBRARIES[target] ?? ['src/']))
      .map(({ target }) => `${path} imports ${target}`),
  );
  expect(breaches).toEqual([]);
});

test('a function or class that is exported is used by another file', () => {
  const users = new Map<string, number>();
  for (const { code } of sources) {
    for (const name of new Set(code.match(/\b\w+\b/g))) users.set(name, (users.get(name) ?? 0) + 1);
  }
  const EXPORTED = /^export (?:async )?(?:function\*?|class) (\w+)/gm;
  const unused = product.flatMap(({ path, code }) =>
    [...code.matchAll(EXPORTED)]
      .filter(([, name]) => users.get(name!) === 1)
      .map(([, name]) => `${path}: ${name}`),
  );
  expect(unused).toEqual([]);
});

test('a stage takes only types from another stage', () => {
  const stageOf = (path: string) => path.split('/').slice(0, 2).join('/');
  const breaches = product
    .filter(({ path }) => !isBelow(path, WIRING))
    .flatMap(({ path, imports }) =>
      imports
        .filter(({ isOwn, isTypeOnly }) => isOwn && !isTypeOnly)
        .filter(({ target }) => stageOf(target) !== stageOf(path))
        .filter(({ target }) => !isBelow(target, SHARED) && !(target in VOCABULARY))
        .filter(({ target }) => target.split('/').length > 2)
        .map(({ target }) => `${path} imports ${target}`),
    );
  expect(breaches).toEqual([]);
});

test('a file stays within its size', () => {
  const breaches = sources
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ path, lines }) => lines > (LARGER_FILES[path]?.lines ?? fileLinesMax(path)))
    .map(({ path, lines }) => `${path}: ${lines} lines`);
  expect(breaches).toEqual([]);
});

function fileLinesMax(path: string): number {
  return path.startsWith('test/') ? TEST_FILE_LINES_MAX : FILE_LINES_MAX;
}

test('a function stays within its size', () => {
  const breaches = sources
    .filter(({ path }) => !path.startsWith('test/'))
    .flatMap((source) =>
      functionsOf(source)
        .filter(({ name, lines }) => {
          const larger = LARGER_FUNCTIONS[`${source.path} ${name}`]?.lines;
          return lines > (larger ?? FUNCTION_LINES_MAX);
        })
        .map(({ name, line, lines }) => `${source.path}:${line}: ${name}: ${lines} lines`),
    );
  expect(breaches).toEqual([]);
});

test('a line fits the screen, but for texts that cannot be broken', () => {
  const breaches = sources.flatMap(({ path, text, code }) => {
    const codeLines = code.split('\n');
    return text.split('\n').flatMap((line, index) => {
      const isComment = /^\s*(?:\/\/|\/?\*)/.test(line);
      const columns = isComment ? line.length : columnsWithoutTexts(line, codeLines[index] ?? '');
      return columns > (isComment ? COMMENT_COLUMNS_MAX : COLUMNS_MAX)
        ? [`${path}:${index + 1}: ${columns} columns`]
        : [];
    });
  });
  expect(breaches).toEqual([]);
});

/** Texts are blank in the code of the line; blanks of the line itself count. */
function columnsWithoutTexts(line: string, code: string): number {
  const isText = (index: number) => line[index] !== ' ' && code[index] === ' ';
  const template = /`.*`/.exec(line)?.[0].length ?? 0;
  return template > 0 ? line.length - template : [...line].filter((_, at) => !isText(at)).length;
}

test('no file is dead: each is a test, is imported, or is started by its name', () => {
  const imported = new Set(
    sources.flatMap(({ imports }) => imports.filter((one) => one.isOwn).map((one) => one.target)),
  );
  const scripts = ['package.json', 'vitest.config.ts']
    .map((name) => readFileSync(join(packageRoot, name), 'utf8'))
    .join('\n');
  const dead = sources
    .map(({ path }) => path)
    .filter((path) => !/\.test\.ts$/.test(path) && !imported.has(path))
    .filter((path) => !scripts.includes(`dist/${path.replace(/\.ts$/, '.js')}`))
    .filter((path) => !scripts.includes(`'${path}'`) && !(path in STARTED_BY_NAME));
  expect(dead).toEqual([]);
});

test('each file that holds tests has a name that vitest runs', () => {
  const unrun = sources
    .filter(({ code }) => /^\s*(?:test|it|describe)(?:\.\w+)*\(/m.test(code))
    .filter(({ path, imports }) => {
      const isSuite = sources.some((other) => other.imports.some((one) => one.target === path));
      const isVitest = imports.some(({ target }) => target === 'vitest');
      return isVitest && !isSuite && !/^test\/.*\.test\.ts$/.test(path);
    })
    .map(({ path }) => path);
  expect(unrun).toEqual([]);
});

test.each(Object.entries(PAGES))('%s says what the code says (npm run docs)', (path, render) => {
  expect(readFileSync(join(packageRoot, path), 'utf8')).toBe(render());
});

test('what must be a function of its input reads no clock and draws no lots', () => {
  const pattern = /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\.now\b|\bcrypto\b/;
  const pure = product.filter(({ path }) => isBelow(path, PURE.timeless));
  expect(pure.flatMap((source) => placesOf(source, pattern))).toEqual([]);
});

test('a decision uses only arithmetic that is the same on every engine', () => {
  const pattern = /\bMath\.(?:exp|expm1|log\w*|pow|sin\w*|cos\w*|tan\w*|cbrt|hypot)\b|\*\*/;
  const exact = product.filter(({ path }) => isBelow(path, PURE.exact));
  expect(exact.flatMap((source) => placesOf(source, pattern))).toEqual([]);
});

test('the environment is read in one place', () => {
  const places = product
    .filter(({ path }) => path !== 'src/main.ts')
    .flatMap((source) => placesOf(source, /\bprocess\.env\b/));
  expect(places).toEqual([]);
});

test('each dependency is imported, and each import is a dependency', () => {
  const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  const used = new Set(
    sources.flatMap(({ imports }) => imports.filter((one) => !one.isOwn).map((one) => one.target)),
  );
  const runtime = { ...manifest.dependencies, ...manifest.optionalDependencies };
  const declared = { ...runtime, ...manifest.devDependencies };
  const unused = Object.keys(declared).filter(
    (name) => !used.has(name) && !(name in UNIMPORTED_DEPENDENCIES),
  );
  expect(unused).toEqual([]);
  const isBuiltin = (name: string) => name.startsWith('node:') || builtinModules.includes(name);
  const undeclared = product.flatMap(({ path, imports }) =>
    imports
      .filter(({ target, isOwn }) => !isOwn && !isBuiltin(target) && !(target in runtime))
      .map(({ target }) => `${path} imports ${target}`),
  );
  expect(undeclared).toEqual([]);
});

test('no file names a path of the machine that it was written on', () => {
  const breaches = allFiles()
    .filter((path) => statSync(join(packageRoot, path)).size < 2_000_000)
    .flatMap((path) =>
      readFileSync(join(packageRoot, path), 'utf8')
        .split('\n')
        .flatMap((line, index) => (MACHINE_PATHS.test(line) ? [`${path}:${index + 1}`] : [])),
    );
  expect(breaches).toEqual([]);
});

test('each exception of these rules is still needed', () => {
  const files = Object.entries(LARGER_FILES).filter(([path]) => {
    const source = sources.find((one) => one.path === path);
    return source === undefined || source.text.trimEnd().split('\n').length <= fileLinesMax(path);
  });
  const functions = Object.keys(LARGER_FUNCTIONS).filter((key) => {
    const [path, name] = key.split(' ');
    const source = sources.find((one) => one.path === path);
    const sizes = source === undefined ? [] : functionsOf(source);
    return !sizes.some((one) => one.name === name && one.lines > FUNCTION_LINES_MAX);
  });
  expect([...files.map(([path]) => path), ...functions]).toEqual([]);
});
