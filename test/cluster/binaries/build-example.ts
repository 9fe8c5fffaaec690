// Builds the example in the directory that it is told, for a test that kills it meanwhile.
import { exampleBuild } from './example-build.ts';
import { buildGo } from './go-build.ts';
import { Progress } from './progress.ts';

await buildGo(exampleBuild(process.argv[2] ?? ''), new Progress(process.stderr));
