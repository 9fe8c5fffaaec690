import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { buildImage, withBuildDirectory } from './build-image.ts';
import { run } from './run.ts';

/** The image of the process that holds a pod's namespaces. */
export const pauseImage = 'docker.io/library/pause:local';

/** Builds it from the Go program beside this file, as an archive; one static program and nothing else. */
export async function buildPauseImage(archive: string): Promise<void> {
  mkdirSync(path.dirname(archive), { recursive: true });
  await withBuildDirectory({ Containerfile: containerfile }, async (context) => {
    const program = path.join(import.meta.dirname, 'pause', 'main.go');
    await run(['go', 'build', '-ldflags=-s -w', '-o', path.join(context, 'pause'), program], {
      env: { CGO_ENABLED: '0' },
    });
    await buildImage({ name: pauseImage, context }, archive);
  });
}

const containerfile = `FROM scratch
COPY pause /pause
ENTRYPOINT ["/pause"]
`;
