import type { SourceNeeds, Sources } from './sources.ts';

/**
 * Opens the sources that the settings ask for; they tell the readiness of their state until the process ends. What it
 * takes to read a file, or to speak to an API server, is loaded only where it is wanted: either costs memory.
 */
export async function openSources(needs: SourceNeeds): Promise<Sources> {
  switch (needs.settings.source) {
    case 'file': {
      const { fileSources } = await import('./file/file-sources.ts');
      return fileSources(needs);
    }
    case 'kubernetes': {
      const { kubeSources } = await import('./kube/kube-sources.ts');
      return kubeSources(needs);
    }
  }
}
