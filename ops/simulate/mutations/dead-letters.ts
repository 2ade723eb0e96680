import { type Mutation, SIMULATION } from './mutation.js';

/** What could go wrong with what is parked. */
export const DEAD_LETTER_MUTATIONS: readonly Mutation[] = [
  {
    name: 'a dead letter that cannot be written is passed over',
    edits: [
      {
        file: 'src/pipeline.ts',
        from: 'await parts.parkDeadLetters(batch, records, fresh);',
        to: 'await parts.parkDeadLetters(batch, records, fresh).catch(() => {});',
      },
    ],
    check: SIMULATION,
    invariants: ['I9'],
  },
  {
    name: 'a dead letter without its commit is not looked for',
    edits: [
      {
        file: 'src/pipeline.ts',
        from: 'const found = await letters?.of(unfolded);',
        to: 'const found = unfolded.length < 0 ? await letters?.of(unfolded) : undefined;',
      },
    ],
    check: SIMULATION,
    invariants: ['I9'],
  },
  {
    name: 'the next owner does not look for what waits for its commit',
    edits: [
      {
        file: 'src/log/uncommitted-letters.ts',
        from: '    for (const { at } of this.#groups.values()) this.#from = Math.min(this.#from, at);\n',
        to: '',
      },
    ],
    check: SIMULATION,
    invariants: ['I9'],
  },
  {
    name: 'letters that an attempt left are taken for all of their record',
    edits: [
      {
        file: 'src/fold/context.ts',
        from: '(letters?.get(index) ?? judge(event))',
        to: '(letters !== null ? (letters.get(index) ?? null) : judge(event))',
      },
    ],
    check: { by: 'test', project: 'unit', file: 'test/fold/verdicts.test.ts' },
    invariants: ['I9'],
  },
];
