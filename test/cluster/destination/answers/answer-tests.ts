import { define } from '../../policy/support/definitions.ts';
import type { TestCluster } from '../../test-cluster.ts';
import { ServedDestination } from '../support/served-destination.ts';
import { addNodes } from '../support/town.ts';
import { addressTests } from './address-tests.ts';
import { annotationTests } from './annotation-tests.ts';
import { outboundTests } from './outbound-tests.ts';
import { placeTests } from './place-tests.ts';
import { serviceTests } from './service-tests.ts';
import { sliceTests } from './slice-tests.ts';

/** What a proxy is told, over its own streams. None of them may be ended: each test fails whose streams were. */
export function answerTests(cluster: TestCluster): void {
  let served: ServedDestination;

  beforeAll(async () => {
    await define(cluster);
    await addNodes(cluster);
    served = await ServedDestination.start(cluster);
  });

  afterEach(() => served.leave());

  afterAll(() => served[Symbol.asyncDispose]());

  const all = [serviceTests, sliceTests, addressTests, placeTests, annotationTests, outboundTests];
  for (const tests of all) tests(cluster, () => served);
}
