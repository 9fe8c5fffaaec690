import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..', 'src');

/** Which folders each folder may import (docs/architecture.md, "Dependency direction"). */
const may: Record<string, string[]> = {
  runtime: [],
  pki: ['runtime/errors.ts', 'runtime/dns-names.ts', 'runtime/quoted.ts'],
  rpc: ['pki', 'runtime'],
  kube: ['runtime'],
  issuers: ['pki', 'kube', 'runtime'],
  identity: ['issuers', 'pki', 'rpc', 'kube', 'runtime'],
  destination: ['pki', 'rpc', 'kube', 'runtime'],
  proxy: ['pki', 'rpc', 'runtime'],
  cli: ['issuers', 'identity', 'destination', 'proxy', 'pki', 'rpc', 'kube', 'runtime'],
};

/** The one place that may import each foreign package. */
const doors: [name: string, door: RegExp][] = [
  ['@peculiar/x509', /^pki\/x509\.ts$/],
  ['reflect-metadata', /^pki\/x509\.ts$/],
  ['@grpc/grpc-js', /^rpc\//],
  ['@bufbuild/protobuf', /^rpc\//],
  ['pino', /^runtime\//],
  ['prom-client', /^runtime\//],
  ['@kubernetes/client-node', /^kube\//],
  ['node-vault', /^issuers\/vault\/vault-client\.ts$/],
  ['jose', /^identity\/token\//],
  ['yaml', /^destination\/file\//],
  ['ajv', /^destination\/file\//],
  ['commander', /^cli\//],
];

interface Import {
  file: string;
  target: string;
}

const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const sources = files.map((file) => ({ file, text: readFileSync(path.join(root, file), 'utf8') }));

const imports: Import[] = sources.flatMap(({ file, text }) =>
  [...text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)['"]([^'"]+)['"]/gm)].map(([, name = '']) => ({
    file,
    target: name.startsWith('.') ? path.posix.join(path.posix.dirname(file), name) : name,
  })),
);

const folderOf = (file: string): string => file.split('/')[0] ?? '';
const isMain = (file: string): boolean => /^[a-z]+\/main\.ts$/.test(file);

describe('the dependency direction', () => {
  it('finds the source it judges', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(imports.length).toBeGreaterThan(200);
  });

  it('lets a folder import only the folders below it, except in main.ts', () => {
    const own = new Set(files);
    const crossings = imports
      .filter(({ file, target }) => own.has(target) && !isMain(file) && folderOf(file) !== folderOf(target))
      .filter(
        ({ file, target }) =>
          !(may[folderOf(file)] ?? []).some((allowed) => allowed === folderOf(target) || allowed === target),
      );
    expect(crossings).toEqual([]);
  });

  it('has every relative import end at a file of the tree', () => {
    const own = new Set(files);
    expect(
      imports.filter(
        ({ target, file }) => !isForeign(target) && !own.has(target) && !file.startsWith('rpc/gen'),
      ),
    ).toEqual([]);
  });

  it('lets each foreign package in by one door', () => {
    const strays = imports.filter(({ file, target }) =>
      doors.some(([name, door]) => (target === name || target.startsWith(`${name}/`)) && !door.test(file)),
    );
    expect(strays).toEqual([]);
  });

  it('knows a door for every foreign package', () => {
    const foreign = imports
      .map(({ target }) => target)
      .filter((target) => isForeign(target) && !target.startsWith('node:'));
    expect(
      foreign.filter((target) => !doors.some(([name]) => target === name || target.startsWith(`${name}/`))),
    ).toEqual([]);
  });

  it('keeps generated code behind rpc', () => {
    expect(
      imports.filter(({ file, target }) => target.startsWith('rpc/gen/') && !file.startsWith('rpc/')),
    ).toEqual([]);
  });

  it('keeps pki free of input and output', () => {
    const io = [
      'node:fs',
      'node:fs/promises',
      'node:net',
      'node:tls',
      'node:http',
      'node:https',
      'node:child_process',
    ];
    expect(imports.filter(({ file, target }) => file.startsWith('pki/') && io.includes(target))).toEqual([]);
  });

  it('reads the environment and ends a process in runtime only', () => {
    const strays = sources.filter(
      ({ file, text }) => !file.startsWith('runtime/') && /\bprocess\.(env|exit)\b/.test(text),
    );
    expect(strays.map(({ file }) => file)).toEqual([]);
  });

  it('keeps the heavy libraries out of the proxy', () => {
    const reached = closure('proxy/main.ts');
    const heavy = [
      '@kubernetes/client-node',
      '@peculiar/x509',
      'reflect-metadata',
      'jose',
      'yaml',
      'ajv',
      'commander',
    ];
    expect(
      [...reached].filter((target) => heavy.some((name) => target === name || target.startsWith(`${name}/`))),
    ).toEqual([]);
  });

  it('has no circle of files that import each other', () => {
    expect(circles()).toEqual([]);
  });
});

function isForeign(target: string): boolean {
  return !/^[a-z]+\/.*\.(ts|json)$/.test(target) || target.startsWith('node:');
}

/** Type-only imports are gone when the program runs, so they load no package. */
function runtimeImports(file: string): string[] {
  const text = sources.find((source) => source.file === file)?.text ?? '';
  return [...text.matchAll(/^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm)].map(
    ([, name = '']) => (name.startsWith('.') ? path.posix.join(path.posix.dirname(file), name) : name),
  );
}

function closure(start: string): Set<string> {
  const seen = new Set<string>();
  const waiting = [start];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    waiting.push(...runtimeImports(next));
  }
  return seen;
}

function circles(): string[] {
  const found = new Set<string>();
  const visit = (file: string, trail: string[]): void => {
    if (done.has(file)) return;
    const at = trail.indexOf(file);
    if (at >= 0) {
      found.add([...trail.slice(at), file].join(' -> '));
      return;
    }
    for (const next of neighbours(file)) visit(next, [...trail, file]);
    done.add(file);
  };
  const done = new Set<string>();
  const neighbours = (file: string): string[] =>
    imports.filter((one) => one.file === file && files.includes(one.target)).map(({ target }) => target);
  for (const file of files) if (!file.startsWith('rpc/gen/')) visit(file, []);
  return [...found];
}
