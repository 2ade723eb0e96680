import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { packageRoot } from '../../package-root.js';

/** A file of the page. */
export interface Asset {
  url: string;
  type: string;
  etag: string;
  body: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * The page is served as it was written: it is no code of Node, so nothing compiles it, and the
 * package brings it beside dist. Read once; what is in the folder is all that is ever served.
 */
const FOLDER = join(packageRoot, 'src', 'route', 'dashboard', 'page');

export function readAssets(): Asset[] {
  return readdirSync(FOLDER).flatMap((name) => {
    const type = TYPES[extname(name)];
    return type === undefined ? [] : [assetOf(name, type)];
  });
}

/** The product's mark, for other pages. */
export function readIcon(): Buffer {
  return readFileSync(join(FOLDER, 'icon.svg'));
}

function assetOf(name: string, type: string): Asset {
  const body = readFileSync(join(FOLDER, name));
  return {
    url: name === 'index.html' ? '/' : `/dashboard/${name}`,
    type,
    etag: `"${hash('sha256', body, 'base64url').slice(0, 22)}"`,
    body,
  };
}
