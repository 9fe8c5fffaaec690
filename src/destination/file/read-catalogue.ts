import type { MeshDomain } from '../../pki/workload-identity.ts';
import { AddressBook } from './address-book.ts';
import { Catalogue } from './catalogue.ts';
import { shapeCheck } from './check-shape.ts';
import { Problems } from './problems.ts';
import { readServices } from './read-services.ts';
import { readWorkloads, readZones } from './read-workloads.ts';
import { parseYamlText } from './yaml-text.ts';

/** Turns the bytes of a destination file into a catalogue, or throws `file_invalid` with everything that is wrong. */
export type CatalogueReader = (bytes: Uint8Array) => Catalogue;

/** First the text must be YAML, then the document must fit the schema, then names and addresses must make sense. */
export function catalogueReader(domain: MeshDomain): CatalogueReader {
  const isDocument = shapeCheck();
  return (bytes) => {
    const text = parseYamlText(bytes);
    const { value } = text;
    const problems = new Problems(text);
    if (!isDocument(value, problems)) throw problems.error();
    const context = { domain, problems };
    const workloads = readWorkloads(value, context);
    const services = readServices(value, workloads, context);
    const addresses = new AddressBook(workloads, services, problems);
    if (problems.any) throw problems.error();
    return new Catalogue({ zones: readZones(value), workloads, services, addresses });
  };
}
