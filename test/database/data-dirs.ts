import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../src/database/embedded-postgres.js';

/** Folders of one test, with the servers in them stopped and everything removed after it. */
export function useDataDirs() {
  let folders: string[] = [];
  let servers: EmbeddedPostgres[] = [];
  afterEach(async () => {
    for (const server of servers) await server.stop();
    for (const folder of folders) {
      const elsewhere = join(folder, 'postgres.location');
      if (existsSync(elsewhere)) {
        await rm((await readFile(elsewhere, 'utf8')).trim(), { recursive: true });
      }
      await rm(dirname(folder), { recursive: true, force: true });
    }
    folders = [];
    servers = [];
  });
  return {
    /** `.airouter` below a new folder that is open to all, or closed to all but us. */
    async newFolder(parent: 'open' | 'closed' = 'open'): Promise<string> {
      const folder = await mkdtemp(join(tmpdir(), 'airouter-data-'));
      await chmod(folder, parent === 'open' ? 0o755 : 0o700);
      const dataDir = join(folder, '.airouter');
      folders.push(dataDir);
      return dataDir;
    },
    async start(dataDir: string): Promise<EmbeddedPostgres> {
      const server = await startEmbeddedPostgres({ dataDir });
      servers.push(server);
      return server;
    },
  };
}
