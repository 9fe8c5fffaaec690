#!/usr/bin/env node
// The `kedge` command: the owner's command line, on the Node that the project is locked to.
import { fileURLToPath } from 'node:url';

process.argv.splice(2, 0, fileURLToPath(new URL('../src/cli/main.ts', import.meta.url)));
await import('./start.mjs');
