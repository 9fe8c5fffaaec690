import { isDeepStrictEqual } from 'node:util';
import type { Latest } from '../../runtime/latest.ts';
import type { ClientContext } from '../context-token.ts';
import type { ClientPlace, EndpointSet } from '../endpoint-set.ts';
import type { EndpointSource, TargetProfile } from '../endpoint-source.ts';
import type { PolicySource, PortPolicy } from '../policy-source.ts';
import type { ServiceTarget, Target } from '../target.ts';
import type { Watched } from '../watched.ts';
import { project } from '../watched.ts';
import type { WorkloadName } from '../workload-name.ts';
import type { Catalogue } from './catalogue.ts';

/** Endpoints and policy out of the catalogue in use; each watch changes when its own part of the file does. */
export class FileSource implements EndpointSource, PolicySource {
  readonly #catalogue: Latest<Catalogue | undefined>;

  constructor(catalogue: Latest<Catalogue | undefined>) {
    this.#catalogue = catalogue;
  }

  watchEndpoints(target: ServiceTarget): Watched<EndpointSet> {
    return project(
      this.#catalogue,
      (catalogue) => catalogue.endpoints(target),
      (a, b) => a.equals(b),
    );
  }

  watchProfile(target: Target): Watched<TargetProfile> {
    return project(this.#catalogue, (catalogue) => catalogue.profile(target), isDeepStrictEqual);
  }

  watchPolicy(workload: WorkloadName, port: number): Watched<PortPolicy> {
    return project(this.#catalogue, (catalogue) => catalogue.policy(workload, port), isDeepStrictEqual);
  }

  placeOf(client: ClientContext): ClientPlace {
    return { zone: this.#catalogue.value?.zoneOf(client), node: client.nodeName };
  }
}
