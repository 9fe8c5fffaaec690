import { existsSync, writeFileSync } from 'node:fs';
import type { Place } from '../place.ts';
import { run } from './run.ts';

/** Addresses that are the same in every cluster's network. */
export const addresses = { dns: '10.96.0.10', pods: '10.244.0.0/16', podsOfNode: '10.244.0.0/24' } as const;

/** As many clusters may have a network on one machine. */
const slots = 64;

/**
 * Makes a network namespace that is known by no name and held by the file alone, and a link that leads there from this machine
 * and nowhere else. What is started in the place has cgroups and mounts as they are outside, which `ip netns exec` would not
 * leave so, and a kubelet needs. Needs root. When the last process has ended and the file is unmounted, the link goes too.
 */
export async function createNetwork(file: string): Promise<Place> {
  writeFileSync(file, '');
  await run(['unshare', `--net=${file}`, 'true']);
  const enter = (command: readonly string[]): string[] => ['nsenter', `--net=${file}`, ...command];
  const address = await createLink(file);
  await run(enter(['sysctl', '-qw', 'net.ipv4.ip_forward=1']));
  return { address, enter };
}

/** Takes the first pair of addresses that no other cluster has; the name of the link decides when two are started at once. */
async function createLink(file: string): Promise<string> {
  for (let slot = 0; slot < slots; slot += 1) {
    const name = `kedge${slot}`;
    if (existsSync(`/sys/class/net/${name}`)) continue;
    const [outside, inside] = [`10.200.${slot}.1`, `10.200.${slot}.2`];
    try {
      await run(['ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', file]);
    } catch (error) {
      if (existsSync(`/sys/class/net/${name}`)) continue;
      throw error;
    }
    await run(['ip', '-batch', '-'], {
      input: `address add ${outside}/30 dev ${name}\nlink set ${name} up\n`,
    });
    await run(['nsenter', `--net=${file}`, 'ip', '-batch', '-'], {
      // Addresses of Services are rewritten on their way out, so there must be a way out: the default route.
      input: `link set lo up\naddress add ${inside}/30 dev eth0\nlink set eth0 up\nroute add default via ${outside}\n`,
    });
    return inside;
  }
  throw new Error(`expected a free link among kedge0 to kedge${slots - 1}, all are taken by other clusters`);
}
