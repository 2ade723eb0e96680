import { DEGRADATIONS, EXCLUSIONS, REMARKS } from '../../src/route/reasons.js';
import { markdownTable } from './markdown.js';

/** docs/reasons.md, from the tables of reasons. */
export function renderReasons(): string {
  return `# Reasons

What an answer says of itself. Codes are stable: they stand in answers, in the decision log and in
\`explain\`; a retired one is never used again.

## Why an offering is not in the answer

\`excluded\` of \`explain\`, of the decision log and of \`no_eligible_offering\`. The first rule that holds
is named.

${tableOf(EXCLUSIONS)}

## What is to be known of a candidate

\`reasons\` of a candidate.

${tableOf(REMARKS)}

## What makes an answer weaker than it could be

\`degraded\` of an answer.

${tableOf(DEGRADATIONS)}
`;
}

function tableOf(reasons: Readonly<Record<string, string>>): string {
  const rows = Object.entries(reasons).map(([code, meaning]) => [`\`${code}\``, meaning]);
  return markdownTable(['Code', 'Meaning'], rows);
}
