import { writeFile } from 'node:fs/promises';
import { identityProcess } from '../../src/cli/demo/processes.ts';
import type { Settings } from '../../src/cli/demo/processes.ts';
import { scrape, sum } from '../../src/cli/demo/scrape.ts';
import type { World } from '../../src/cli/demo/world.ts';
import { createCsr } from '../../src/pki/csr.ts';
import { generateKeyPair } from '../../src/pki/keys.ts';
import { CertifyRequest } from '../../src/rpc/gen/io/linkerd/proxy/identity/identity.ts';
import { onCore } from '../processes/on-core.ts';
import type { Processes, Started } from '../processes/processes.ts';
import { startBundled } from '../processes/start-bundled.ts';
import type { Contender } from './contender.ts';

/** One address and one ServiceAccount ask for everything here, so their limits are lifted; none is taken out. */
export const unlimited = {
  KEDGE_RATE_TOTAL: '1000000',
  KEDGE_RATE_PER_PEER: '1000000',
  KEDGE_RATE_PER_SERVICE_ACCOUNT: '1000000',
};

/** What tells one identity process from another in the same world. */
export interface IdentityPlan {
  readonly name: string;
  readonly port: number;
  readonly adminPort: number;
  readonly settings: Settings;
  /** Whether it has a core for itself; both sides of a comparison do, or neither. */
  readonly pinned: boolean;
}

/** The identity process as it is deployed: the token is verified for each call, each answer leaves an audit record. */
export async function startIdentity(
  processes: Processes,
  world: World,
  plan: Partial<IdentityPlan> = {},
): Promise<Contender> {
  const { identity, identityAdmin } = world.ports;
  const { name = 'identity', port = identity, adminPort = identityAdmin, settings, pinned = true } = plan;
  const pin = (command: readonly string[]): readonly string[] => (pinned ? onCore(1, command) : command);
  const own = {
    KEDGE_IDENTITY_LISTEN_ADDR: `127.0.0.1:${port}`,
    KEDGE_ADMIN_LISTEN_ADDR: `127.0.0.1:${adminPort}`,
  };
  const options = {
    ...identityProcess(world, { ...unlimited, ...own, ...settings }),
    ...{ name, adminPort },
  };
  const process: Started = await startBundled(options, { processes, world, pin });
  const bodyFile = world.path(`${name}.bin`);
  const answers = async (): Promise<Record<'given' | 'refused', number>> => {
    const samples = await scrape(adminPort);
    const count = (decision: string): number => sum(samples, 'kedge_identity_answers_total', { decision });
    return { given: count('given'), refused: count('refused') };
  };
  return {
    process,
    url: `https://127.0.0.1:${port}/io.linkerd.proxy.identity.Identity/Certify`,
    headers: ['content-type: application/grpc', 'te: trailers'],
    bodyFile,
    prepare: async () => {
      await writeFile(bodyFile, certifyCall(world));
      const before = await answers();
      return async (requests) => {
        const after = await answers();
        const [given, refused] = [after.given - before.given, after.refused - before.refused];
        if (given === requests && refused === 0) return;
        throw new Error(
          `expected ${requests} certificates given, identity counted ${given}, and ${refused} refused`,
        );
      };
    },
  };
}

/** A whole gRPC request body: five bytes of frame, then the message. */
function certifyCall(world: World): Buffer {
  const { dnsName, spiffeId } = world.identityOf('web');
  const token = { subject: world.subjectOf('web'), audience: 'identity.l5d.io', validForSeconds: 600 };
  const csr = createCsr({ key: generateKeyPair().privateKey, dnsName, uri: spiffeId });
  const message = CertifyRequest.encode({
    identity: dnsName,
    token: Buffer.from(world.tokens.issue(token, new Date())),
    certificateSigningRequest: csr,
  }).finish();
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}
