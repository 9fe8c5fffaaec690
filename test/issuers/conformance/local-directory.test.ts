import { localDirectory } from './columns/local-directory.ts';
import { conformance } from './conformance.ts';

conformance(localDirectory);
