import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { packageRoot } from '../../src/package-root.js';

/** A TypeScript file, as the rules of the code base see it. */
export interface Source {
  /** From the package's folder, with slashes. */
  path: string;
  text: string;
  /** The text with the content of comments, strings and patterns blanked; places are the same. */
  code: string;
  imports: Import[];
}

export interface Import {
  /** A path from the package's folder for own files, else the package's or builtin's name. */
  target: string;
  isOwn: boolean;
  /** Gone when compiled: only types are taken. */
  isTypeOnly: boolean;
}

const IGNORED = new Set(['node_modules', 'dist', '.git', '.airouter', 'coverage']);

/** Paths of all files of the repository that people write, from its folder. */
export function allFiles(folder = packageRoot): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (IGNORED.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return allFiles(path);
    return entry.isFile() ? [relative(packageRoot, path)] : [];
  });
}

export function readSources(...folders: string[]): Source[] {
  return allFiles()
    .filter((path) => path.endsWith('.ts') && folders.includes(path.split('/')[0] as string))
    .map((path) => sourceOf(path, readFileSync(join(packageRoot, path), 'utf8')));
}

export function sourceOf(path: string, text: string): Source {
  return { path, text, code: blank(text), imports: importsOf(path, text) };
}

const IMPORT =
  /^[ \t]*(?:import|export)\s+(type\s)?([^'"`;()]*?from\s*)?'([^'\n]+)'|\bimport\(\s*'([^'\n]+)'\s*\)/gm;

function importsOf(path: string, text: string): Import[] {
  return [...text.matchAll(IMPORT)].map(([, type, names = '', from, dynamic]) => {
    const named = (from ?? dynamic) as string;
    const isOwn = named.startsWith('.');
    return {
      target: isOwn ? posix.join(dirname(path), named).replace(/\.js$/, '.ts') : packageOf(named),
      isOwn,
      isTypeOnly: type !== undefined || hasOnlyTypes(names),
    };
  });
}

/** `{ type A, type B }` */
function hasOnlyTypes(names: string): boolean {
  const list = /^\{([\s\S]*)\}\s*from\s*$/.exec(names.trim())?.[1];
  const items = (list ?? '').split(',').map((item) => item.trim());
  return list !== undefined && items.every((item) => item === '' || item.startsWith('type '));
}

function packageOf(name: string): string {
  const parts = name.split('/');
  return name.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] as string);
}

/** One token that must not be read as code, or one that tells whether a slash divides. */
const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`|\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*|[\w$]+|[)\]}]|\{/g;
const BEFORE_PATTERN = /^(?:return|typeof|case|in|of|delete|void|throw|new|else|do|await|yield)$/;

/**
 * Blanks comments, strings and regular expressions by spaces of the same length. What stands in
 * `${…}` of a template stays, since it is code.
 */
function blank(text: string): string {
  let out = '';
  let at = 0;
  // Depth of braces at which each open `${` of a template ends.
  const templates: number[] = [];
  let depth = 0;
  let last = '';
  const blanked = (token: string) => token.replace(/[^\n]/g, ' ');
  const template = (from: number): void => {
    const part = /(?:\\[\s\S]|\$(?!\{)|[^\\`$])*(`|\$\{|$)/y;
    part.lastIndex = from;
    const token = part.exec(text)?.[0] ?? '';
    out += blanked(token);
    at = from + token.length;
    if (token.endsWith('${')) templates.push(depth);
    last = ')';
  };
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) break;
    const token = match[0];
    const between = text.slice(at, match.index);
    out += between;
    if (between.trim() !== '') last = between.trim();
    at = match.index + token.length;
    if (token === '`') {
      out += ' ';
      template(at);
    } else if (token === '}' && templates.at(-1) === depth) {
      templates.pop();
      out += ' ';
      template(at);
    } else if (/^(?:\/[/*]|['"])/.test(token)) {
      out += blanked(token);
      if (!token.startsWith('/')) last = ')';
    } else if (token.startsWith('/')) {
      const divides = /[\w$)\]}]$/.test(last) && !BEFORE_PATTERN.test(last);
      out += divides ? '/' : blanked(token);
      at = divides ? match.index + 1 : at;
      last = divides ? '/' : ')';
    } else {
      if (token === '{') depth += 1;
      if (token === '}') depth -= 1;
      out += token;
      last = token;
    }
  }
  return out + text.slice(at);
}

export interface FunctionSize {
  name: string;
  /** 1 = the first of the file */
  line: number;
  lines: number;
}

const HEAD =
  /\bfunction\b\s*\*?\s*([\w$]*)|^[ \t]+(?:(?:static|async|override|get|set)\s+)*\*?(#?[\w$]+)\s*(?:<[^(]*>)?(?=\()|=>\s*(?=\{)/gm;
const STATEMENT =
  /^(?:if|for|while|switch|catch|return|await|throw|new|typeof|function|void|super)$/;

/** Functions, methods and arrow functions with a body, each with the lines from head to end. */
export function functionsOf({ code }: Source): FunctionSize[] {
  return [...code.matchAll(HEAD)].flatMap((match) => {
    const [head, name, method] = match;
    if (method !== undefined && STATEMENT.test(method)) return [];
    const after = match.index + head.length;
    const body = head.startsWith('=>') ? after : bodyStart(code, code.indexOf('(', after));
    if (body === null) return [];
    const line = lineOf(code, match.index + (/^\s*/.exec(head)?.[0].length ?? 0));
    const lines = lineOf(code, closing(code, body)) - line + 1;
    return [{ name: name || method || 'arrow', line, lines }];
  });
}

/** Where the body begins whose parameters begin at `open`; null: a call or a mere signature. */
function bodyStart(code: string, open: number): number | null {
  if (open < 0) return null;
  let at = closing(code, open) + 1;
  const next = () => {
    while (/\s/.test(code[at] ?? '')) at += 1;
    return code[at];
  };
  if (next() === '{') return at;
  if (next() !== ':') return null;
  // A return type: a brace is the body's unless what stands before it asks for a type.
  for (let before = ':'; at < code.length; at += 1) {
    const char = code[at] as string;
    if (/\s/.test(char)) continue;
    if (char === ';') return null;
    if (char === '{' && !/(?:[:|&<,(=]|=>)$/.test(before)) return at;
    if (char === '{' || char === '(' || char === '[') at = closing(code, at);
    before = before.slice(-1) + code[at];
  }
  return null;
}

/** Place of the bracket that closes the one at `open`. */
function closing(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at += 1) {
    if (/[([{]/.test(code[at] as string)) depth += 1;
    if (/[)\]}]/.test(code[at] as string)) depth -= 1;
    if (depth === 0) return at;
  }
  return code.length - 1;
}

function lineOf(text: string, at: number): number {
  let line = 1;
  for (let next = text.indexOf('\n'); next >= 0 && next < at; next = text.indexOf('\n', next + 1)) {
    line += 1;
  }
  return line;
}
