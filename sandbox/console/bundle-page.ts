import { fileURLToPath } from 'node:url';
import { build } from 'vite';

export type Asset = { type: string; body: string | Uint8Array };

const types: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  woff2: 'font/woff2',
  woff: 'font/woff',
  svg: 'image/svg+xml',
};

const typeOf = (name: string) => types[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream';

/** Builds the page in memory: path to asset. It takes about a second, and nothing is left on the disk. */
export async function bundlePage(): Promise<Map<string, Asset>> {
  const built = await build({
    root: fileURLToPath(new URL('page', import.meta.url)),
    configFile: false,
    logLevel: 'error',
    // Whatever NODE_ENV is here (vitest's is `test`), the page gets React as one ships it.
    define: { 'process.env.NODE_ENV': '"production"' },
    oxc: { jsx: { runtime: 'automatic', development: false } },
    build: { write: false, assetsInlineLimit: 0, target: 'es2023', modulePreload: false },
  });
  const outputs = (Array.isArray(built) ? built : [built]).flatMap((one) => ('output' in one ? one.output : []));
  return new Map(
    outputs.map((file) => [
      file.fileName === 'index.html' ? '/' : `/${file.fileName}`,
      { type: typeOf(file.fileName), body: file.type === 'chunk' ? file.code : file.source },
    ]),
  );
}
