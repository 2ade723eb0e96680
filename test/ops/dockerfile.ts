import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-root.js';

export interface Instruction {
  name: string;
  text: string;
}

export interface Stage {
  /** Null = it has no name. */
  name: string | null;
  image: string;
  instructions: readonly Instruction[];
}

/** The stages of ops/Dockerfile, in order; the last one is the image. */
export function readDockerfile(): Stage[] {
  const lines = readFileSync(join(packageRoot, 'ops/Dockerfile'), 'utf8')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: { name: string | null; image: string; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [name = '', ...words] = line.split(/\s+/);
    if (name === 'FROM') {
      stages.push({ name: words[2] ?? null, image: words[0] ?? '', instructions: [] });
    } else {
      stages.at(-1)?.instructions.push({ name, text: words.join(' ') });
    }
  }
  return stages;
}

export interface Copy {
  /** The stage that it comes from; null = the repository. */
  from: string | null;
  sources: readonly string[];
  target: string;
}

export function copiesOf(stage: Stage): Copy[] {
  return stage.instructions
    .filter(({ name }) => name === 'COPY')
    .map(({ text }) => {
      const words = text.split(' ');
      const from = words[0]?.startsWith('--from=') ? words.shift()!.slice('--from='.length) : null;
      return { from, sources: words.slice(0, -1), target: words.at(-1)! };
    });
}

/** What .dockerignore lets in: it shuts out everything, then names exceptions. */
export function allowedInContext(): string[] {
  const lines = readFileSync(join(packageRoot, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.shift() !== '*') throw new Error('.dockerignore must begin by shutting out everything');
  return lines.map((line) => {
    if (!line.startsWith('!')) throw new Error(`.dockerignore: ${line} is no exception`);
    return line.slice(1);
  });
}
