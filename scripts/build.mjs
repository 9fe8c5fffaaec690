// One ESM bundle per process, so a container holds a few files and not a tree of packages. What a process imports only where it is
// wanted stands in files of its own beside it, `<process>-<what>-<hash>.mjs`: a process that does not want it never reads it.
import { build } from 'esbuild';
import { existsSync, rmSync } from 'node:fs';

const processes = {
  identity: 'src/identity/main.ts',
  destination: 'src/destination/main.ts',
  proxy: 'src/proxy/main.ts',
  kedge: 'src/cli/main.ts',
  // The demo's applications: processes of their own, which know nothing of the others.
  'shop-server': 'src/cli/demo/shop-server.ts',
  'shop-client': 'src/cli/demo/shop-client.ts',
};

// What an earlier build left has other hashes.
rmSync('dist', { recursive: true, force: true });

for (const [name, entry] of Object.entries(processes)) {
  if (!existsSync(entry)) throw new Error(`expected the entry point ${entry}, found none`);
  const result = await build({
    entryPoints: { [name]: entry },
    outdir: 'dist',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    chunkNames: `${name}-[name]-[hash]`,
    platform: 'node',
    target: 'node26',
    format: 'esm',
    minifySyntax: true,
    legalComments: 'linked',
    metafile: true,
    logLevel: 'warning',
    // Packages written for CommonJS call require() for Node's own modules; an ES module has to be given one.
    banner: {
      js: "import { createRequire as kedgeRequire } from 'node:module'; const require = kedgeRequire(import.meta.url);",
    },
  });
  for (const [file, { bytes }] of Object.entries(result.metafile.outputs)) {
    if (file.endsWith('.mjs')) console.log(`${file} ${Math.round(bytes / 1024)} KiB`);
  }
}
