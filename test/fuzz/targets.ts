import type { FuzzTarget } from './target.ts';
import { certificateTarget } from './targets/certificate.ts';
import { clientHelloTarget } from './targets/client-hello.ts';
import { contextTokenTarget } from './targets/context-token.ts';
import { csrTarget } from './targets/csr.ts';
import { derTarget } from './targets/der.ts';
import { derValuesTarget } from './targets/der-values.ts';
import { destinationFileTarget } from './targets/destination-file.ts';
import { distinguishedNameTarget } from './targets/distinguished-name.ts';
import { environmentTarget } from './targets/environment.ts';
import { extensionsTarget } from './targets/extensions.ts';
import { ipAddressTarget } from './targets/ip-address.ts';
import { keySetTarget } from './targets/key-set.ts';
import { lifetimeTarget } from './targets/lifetime.ts';
import { messagesTarget } from './targets/messages.ts';
import { pemTarget } from './targets/pem.ts';
import { privateKeyTarget } from './targets/private-key.ts';
import { publicKeyTarget } from './targets/public-key.ts';
import { serverHelloTarget } from './targets/server-hello.ts';
import { settingsTarget } from './targets/settings.ts';
import { signedTokenTarget } from './targets/signed-token.ts';
import { statusDetailsTarget } from './targets/status-details.ts';
import { subjectMapTarget } from './targets/subject-map.ts';
import { targetNameTarget } from './targets/target-name.ts';
import { tokenTarget } from './targets/token.ts';
import { transportHeaderTarget } from './targets/transport-header.ts';
import { trustBundleTarget } from './targets/trust-bundle.ts';
import { uniqueJsonTarget } from './targets/unique-json.ts';
import { workloadIdentityTarget } from './targets/workload-identity.ts';
import { workloadNameTarget } from './targets/workload-name.ts';

/** Every parser of bytes or text from outside. Those that take longest come first, so that none is left for the end. */
export const targets: readonly FuzzTarget[] = [
  destinationFileTarget,
  environmentTarget,
  trustBundleTarget,
  certificateTarget,
  csrTarget,
  clientHelloTarget,
  derTarget,
  messagesTarget,
  publicKeyTarget,
  privateKeyTarget,
  signedTokenTarget,
  transportHeaderTarget,
  derValuesTarget,
  distinguishedNameTarget,
  extensionsTarget,
  pemTarget,
  workloadIdentityTarget,
  tokenTarget,
  keySetTarget,
  uniqueJsonTarget,
  subjectMapTarget,
  settingsTarget,
  ipAddressTarget,
  targetNameTarget,
  workloadNameTarget,
  contextTokenTarget,
  statusDetailsTarget,
  serverHelloTarget,
  lifetimeTarget,
];
