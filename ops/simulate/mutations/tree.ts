import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../../src/package-root.js';
import type { Mutation } from './mutation.js';

const COPIED = [
  'src',
  'ops',
  'bench',
  'test',
  'schemas',
  'package.json',
  'tsconfig.json',
  'tsconfig.test.json',
  'vitest.config.ts',
];

export interface Ran {
  code: number;
  /** Both streams. */
  output: string;
}

/** A copy of the sources in a temporary folder: the working tree is never changed. */
export class Tree {
  readonly root = mkdtempSync(join(tmpdir(), 'airouter-mutations-'));

  constructor() {
    for (const name of COPIED) {
      cpSync(join(packageRoot, name), join(this.root, name), { recursive: true });
    }
    symlinkSync(join(packageRoot, 'node_modules'), join(this.root, 'node_modules'));
  }

  /** Answers how to undo it; throws where a text does not stand exactly once in its file. */
  apply({ edits }: Pick<Mutation, 'edits'>): () => void {
    const originals = new Map<string, string>();
    for (const { file, from, to } of edits) {
      const path = join(this.root, file);
      const text = readFileSync(path, 'utf8');
      if (!originals.has(path)) originals.set(path, text);
      const times = text.split(from).length - 1;
      if (times !== 1) throw new Error(`${file} holds the text ${times} times: ${from.trim()}`);
      writeFileSync(
        path,
        text.replace(from, () => to),
      );
    }
    return () => {
      for (const [path, text] of originals) writeFileSync(path, text);
    };
  }

  /** Runs a program of node_modules, or a file of this tree, in it. */
  run(program: string, ...args: string[]): Ran {
    const isTool = !program.includes('/');
    const path = join(this.root, isTool ? `node_modules/.bin/${program}` : program);
    const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...args], {
      cwd: this.root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    return { code: status ?? 1, output: `${stdout}${stderr}` };
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
