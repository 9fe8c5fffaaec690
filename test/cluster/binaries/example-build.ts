import type { GoBuild } from './go-build.ts';

/** A build of one small program. */
export function exampleBuild(directory: string): GoBuild {
  return {
    directory,
    title: 'Example 1',
    programs: { example: 'example.test/cmd/example' },
    linkerFlags: [],
    module: async () => 'module example.test\n',
  };
}
