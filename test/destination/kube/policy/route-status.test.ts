import * as fc from 'fast-check';
import { controllerName, withRouteStatus } from '../../../../src/destination/kube/policy/route-status.ts';
import { serverRef } from './support/manifests.ts';
import type { Route } from './support/followed-routes.ts';

const policyGroup = 'policy.linkerd.io';
const gatewayGroup = 'gateway.networking.k8s.io';
const now = new Date('2026-01-01T00:00:00.123Z');
const serviceRef = { group: 'core', kind: 'Service', name: 'web' };

const route = (parentRefs: unknown, parents?: unknown, generation = 3): Route => ({
  metadata: { name: 'r', namespace: 'shop', generation },
  spec: { parentRefs },
  ...(parents !== undefined && { status: { parents } }),
});

const parentsOf = (written: Route | undefined): Readonly<Record<string, unknown>>[] =>
  (written?.status as { parents: Readonly<Record<string, unknown>>[] }).parents;

/** The entries that a route is to have, where they are not there. */
const written = (parentRefs: unknown, group = policyGroup, parents?: unknown) =>
  parentsOf(withRouteStatus(route(parentRefs, parents), group, now));

const settled = (each: Route): boolean => withRouteStatus(each, policyGroup, now) === undefined;

/** An entry of Linkerd's controller, which writes namespaces always. */
const linkerds = (parentRef: object) => ({
  controllerName: 'linkerd.io/policy-controller',
  parentRef: { namespace: 'shop', ...parentRef },
  conditions: [{ type: 'Accepted', status: 'True', reason: 'Accepted', message: '', lastTransitionTime: '' }],
});
const gateways = {
  controllerName: 'example.org/gateway',
  parentRef: { name: 'edge' },
  conditions: [{ type: 'Accepted', status: 'True' }],
};

describe('the status of a route', () => {
  it('says of a Server that the route is not accepted, what becomes of the port and what to do', () => {
    expect(written([serverRef])).toEqual([
      {
        controllerName: 'kedge.io/destination',
        parentRef: serverRef,
        conditions: [
          {
            type: 'Accepted',
            status: 'False',
            reason: 'UnsupportedValue',
            message:
              'Kedge looks at connections, not at requests: as long as this route is attached to the Server shop/web, nobody is let in at its port. Remove the route, and say in an AuthorizationPolicy for the Server who may connect.',
            observedGeneration: 3,
            lastTransitionTime: '2026-01-01T00:00:00Z',
          },
        ],
      },
    ]);
  });

  it('says of a Service that the route changes nothing, for the routes that Linkerd brings', () => {
    const [entry] = written([serviceRef]);
    expect(entry).toMatchObject({
      parentRef: serviceRef,
      conditions: [
        {
          status: 'False',
          reason: 'UnsupportedValue',
          message: expect.stringContaining('denies none') as string,
        },
      ],
    });
    expect(withRouteStatus(route([serviceRef]), gatewayGroup, now)).toBeUndefined();
  });

  it('says of a Server in another namespace that the route has no effect on it', () => {
    const [entry] = written([{ ...serverRef, namespace: 'bank' }]);
    expect(entry).toMatchObject({
      parentRef: { ...serverRef, namespace: 'bank' },
      conditions: [{ reason: 'NoMatchingParent', message: expect.stringContaining('bank/web') as string }],
    });
  });

  it('has an entry for each reference, as it is written, and each once', () => {
    const refs = [serverRef, { ...serverRef, port: 80 }, { ...serverRef, sectionName: 'a' }, serverRef];
    expect(written(refs, gatewayGroup).map(({ parentRef }) => parentRef)).toEqual(refs.slice(0, 3));
  });

  it('takes the group that is left out for the one of the route', () => {
    const bare = { kind: 'Server', name: 'web' };
    expect(written([bare]).map(({ parentRef }) => parentRef)).toEqual([{ ...serverRef }]);
    expect(withRouteStatus(route([bare]), gatewayGroup, now)).toBeUndefined();
  });

  it.each([
    ['a gateway', [{ name: 'edge' }]],
    ['nothing', undefined],
    ['nothing that can be read', 7],
  ])('has no entry of a route for %s', (_, refs) => {
    expect(settled(route(refs))).toBe(true);
  });

  it('is right once it is written, and keeps the time at which that began', () => {
    const first = withRouteStatus(route([serverRef]), policyGroup, now)!;
    expect(settled(first)).toBe(true);
    const changed = { ...first, metadata: { ...first.metadata, generation: 4 } };
    const later = withRouteStatus(changed, policyGroup, new Date('2027-01-01T00:00:00Z'));
    expect(parentsOf(later)).toMatchObject([
      { conditions: [{ observedGeneration: 4, lastTransitionTime: '2026-01-01T00:00:00Z' }] },
    ]);
  });

  it('is right in the words of another version of Kedge, and wrong where it says something else', () => {
    const [entry] = written([serverRef]);
    const [condition] = entry?.['conditions'] as object[];
    const having = (change: object) =>
      route([serverRef], [{ ...entry, conditions: [{ ...condition, ...change }] }]);
    expect(settled(having({ message: 'other words' }))).toBe(true);
    const turned = withRouteStatus(
      having({ status: 'True', lastTransitionTime: '2020-01-01T00:00:00Z' }),
      policyGroup,
      now,
    );
    expect(parentsOf(turned)).toEqual([entry]);
    expect(settled(having({ reason: 'Accepted' }))).toBe(false);
  });

  it('leaves the entries of others as they are, and takes its own away where the parent is gone', () => {
    const own = written([serverRef]);
    expect(written([{ name: 'edge' }, serverRef], policyGroup, [gateways])).toEqual([gateways, ...own]);
    expect(written([{ name: 'edge' }], policyGroup, [...own, gateways])).toEqual([gateways]);
    expect(written([], policyGroup, own)).toEqual([]);
  });

  it.each([
    ['a Server', serverRef, serverRef],
    ['a Server, under the group of the route', serverRef, { ...serverRef, group: gatewayGroup }],
    ['a Service', serviceRef, serviceRef],
    ['a Service with a port', { ...serviceRef, port: 80 }, { ...serviceRef, port: 80 }],
  ])('has no entry where Linkerd has one for %s, and takes its own away', (_, ref, its) => {
    expect(settled(route([ref], [linkerds(its)]))).toBe(true);
    expect(written([ref], policyGroup, [...written([ref]), linkerds(its)])).toEqual([linkerds(its)]);
  });

  it.each([
    ['of another name', { ...serverRef, name: 'api' }],
    ['of another namespace', { ...serverRef, namespace: 'bank' }],
    ['of another kind', serviceRef],
  ])('has one beside that of Linkerd for a parent %s', (_, its) => {
    expect(written([serverRef], policyGroup, [linkerds(its)])).toHaveLength(2);
  });

  it('has no more entries than a definition takes', () => {
    const refs = Array.from({ length: 32 }, (_, i) => ({ ...serverRef, name: `s${i}` }));
    expect(written(refs, policyGroup, [gateways])).toHaveLength(32);
    const others = Array.from({ length: 40 }, () => gateways);
    expect(settled(route(refs, others))).toBe(true);
  });

  it('is right after one writing, whatever was there', () => {
    const anything = fc.anything({ withNullPrototype: true });
    const refs = fc.oneof(
      anything,
      fc.array(fc.oneof(anything, fc.constant(serverRef), fc.constant(serviceRef))),
    );
    const entry = fc.oneof(
      anything,
      fc.constantFrom(...written([serverRef, serviceRef]), linkerds(serverRef)),
    );
    fc.assert(
      fc.property(refs, fc.oneof(anything, fc.array(entry)), (parentRefs, parents) => {
        const once = withRouteStatus(route(parentRefs, parents), policyGroup, now);
        if (once === undefined) return;
        expect(settled(once)).toBe(true);
        const given = Array.isArray(parents) ? (parents as unknown[]) : [];
        const foreign = (each: unknown) =>
          (each as { controllerName?: unknown } | null | undefined)?.controllerName !== controllerName;
        expect(parentsOf(once).filter(foreign)).toEqual(given.filter(foreign));
      }),
    );
  });
});
