import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A `docker` that runs the commands of a compose file as processes of this machine: what the
 * launcher asks of docker compose is tested where no engine runs.
 */
export async function writeFakeDocker(dir: string, upFails = false): Promise<string> {
  const bin = join(dir, 'bin');
  await mkdir(bin, { recursive: true });
  await mkdir(join(dir, 'data'), { recursive: true });
  const script = `#!${process.execPath}
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const dir = ${JSON.stringify(dir)};
const args = process.argv.slice(2);
const [verb, ...rest] = args[1] === '--project-name' ? args.slice(5) : args;
fs.appendFileSync(dir + '/calls', [verb, ...rest].join(' ') + '\\n');
const pidOf = (name) => Number(fs.readFileSync(dir + '/' + name + '.container', 'utf8'));
const kill = (name, signal) => { try { process.kill(pidOf(name), signal); } catch {} };
if (verb === 'up') {
  if (${upFails}) { console.error('no image'); process.exit(1); }
  const name = rest.at(-1);
  const service = JSON.parse(fs.readFileSync(args[4], 'utf8')).services[name];
  const [command, ...words] = service.command.map((word) => word.replace('/data', dir + '/data'));
  const child = spawn(command, words, { detached: true, stdio: 'ignore' });
  fs.writeFileSync(dir + '/' + name + '.container', String(child.pid));
  child.unref();
}
if (verb === 'kill') kill(rest[2], rest[1]);
if (verb === 'down') {
  for (const file of fs.readdirSync(dir)) {
    if (file.endsWith('.container')) kill(file.replace('.container', ''), 'SIGKILL');
  }
}
`;
  const docker = join(bin, 'docker');
  await writeFile(docker, script);
  await chmod(docker, 0o755);
  return bin;
}

/** The verbs that were asked for, in order. */
export async function dockerCalls(dir: string): Promise<string[]> {
  return (await readFile(join(dir, 'calls'), 'utf8')).trim().split('\n');
}
