import { FileSource } from './file/file-source.ts';
import { loadFile } from './file/load-file.ts';
import { catalogueReader } from './file/read-catalogue.ts';
import { tellFileState } from './file-readiness.ts';
import type { SourceNeeds, Sources } from './sources.ts';

/** Opens the sources that the settings ask for; they tell the readiness of their state until the process ends. */
export async function openSources(needs: SourceNeeds): Promise<Sources> {
  switch (needs.settings.source) {
    case 'file':
      return fileSources(needs);
    case 'kubernetes': {
      // Loaded only where it is wanted: what it takes to speak to an API server costs memory.
      const { kubeSources } = await import('./kube/kube-sources.ts');
      return kubeSources(needs);
    }
  }
}

async function fileSources({ settings, domain, context, metrics }: SourceNeeds): Promise<Sources> {
  const { log, clock, readiness, signal } = context;
  const read = catalogueReader(domain);
  const file = await loadFile({ path: settings.destinationFile, read, clock, log, metrics, signal });
  tellFileState(file, readiness);
  const source = new FileSource(file.catalogue);
  return { endpoints: source, policies: source };
}
