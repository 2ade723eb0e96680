import { SETTINGS } from '../../src/config.js';
import { markdownTable } from './markdown.js';

/** docs/settings.md, from the table that the settings are read by. */
export function renderSettings(): string {
  const rows = Object.values(SETTINGS).map((setting) => [
    `\`${setting.name}\``,
    defaultOf(setting.fallback),
    setting.rule,
    'secret' in setting ? `${setting.doc} Secret: never shown.` : setting.doc,
  ]);
  return `# Settings

Settings are environment variables. They are read once, at the start, and checked: a value that
breaks its rule, or an unknown name that begins with \`AIROUTER_\`, ends the command with exit code 2
and a message that names the variable, the rule and the value. An empty value is an unset one.
\`airouter config\` prints the settings in force, secrets hidden.

${markdownTable(['Name', 'Default', 'Must be', 'What it does'], rows)}
`;
}

function defaultOf(fallback: string | null): string {
  if (fallback === null) return 'unset';
  return fallback === '' ? 'empty' : `\`${fallback}\``;
}
