// One ESM bundle per process, so a container holds a file and not a tree of packages, and a process loads only what it uses.
import { build } from 'esbuild';
import { existsSync } from 'node:fs';

const processes = {
  identity: 'src/identity/main.ts',
  destination: 'src/destination/main.ts',
  proxy: 'src/proxy/main.ts',
  kedge: 'src/cli/main.ts',
  // The demo's applications: processes of their own, which know nothing of the others.
  'shop-server': 'src/cli/demo/shop-server.ts',
  'shop-client': 'src/cli/demo/shop-client.ts',
};

for (const [name, entry] of Object.entries(processes)) {
  if (!existsSync(entry)) throw new Error(`expected the entry point ${entry}, found none`);
  const result = await build({
    entryPoints: [entry],
    outfile: `dist/${name}.mjs`,
    bundle: true,
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
  const [{ bytes }] = Object.entries(result.metafile.outputs)
    .filter(([file]) => file.endsWith('.mjs'))
    .map(([, output]) => output);
  console.log(`dist/${name}.mjs ${Math.round(bytes / 1024)} KiB`);
}
