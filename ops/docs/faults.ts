import type { FaultTest } from '../faults/fault-row.js';
import { FAULTS } from '../faults/matrix.js';
import { markdownTable } from './markdown.js';

/** docs/faults.md, from the matrix. */
export function renderFaults(): string {
  const rows = FAULTS.map(({ row, fault, happens, tests, measured, whyNot }) => [
    String(row),
    fault,
    happens,
    whyNot === undefined ? tests.map(linkOf).join('<br>') : `not here: ${whyNot}`,
    measured ?? '',
  ]);
  return `# Faults

What can go wrong around the product, what then happens, and the test that shows it.
\`npm run faults -- --row N\` runs the tests of one row with the services that they need, \`--all\`
those of every row, \`--list\` names them. Tests named \`….fault.test.ts\` take minutes or need root (a
small disk is mounted to be filled) and run only this way; all others are part of \`npm test\`.

Figures were taken on two shared cores, times of recovery at a load of 8 to 15, that of other programs
included; they say what to expect, no test depends on them. A recovery lasts from the end of a fault
until all that was recorded before is acknowledged, folded and in the hot keys, and the router answers
from it.

${markdownTable(['#', 'Fault', 'What happens', 'Shown by', 'Measured'], rows)}
`;
}

function linkOf({ file, name }: FaultTest): string {
  const link = `[${file.replace(/^test\//, '')}](../${file})`;
  return name === undefined ? link : `${link}: ${name}`;
}
