import { tellFileState } from '../file-readiness.ts';
import type { SourceNeeds, Sources } from '../sources.ts';
import { FileSource } from './file-source.ts';
import { loadFile } from './load-file.ts';
import { catalogueReader } from './read-catalogue.ts';

/** Follows the file until the process ends. */
export async function fileSources({ settings, domain, context, metrics }: SourceNeeds): Promise<Sources> {
  const { log, clock, readiness, signal } = context;
  const read = catalogueReader(domain);
  const file = await loadFile({ path: settings.destinationFile, read, clock, log, metrics, signal });
  tellFileState(file, readiness);
  const source = new FileSource(file.catalogue);
  return { endpoints: source, policies: source };
}
