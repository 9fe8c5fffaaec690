import { scripted } from './columns/scripted.ts';
import { conformance } from './conformance.ts';

conformance(scripted);
