import { annotationsOf } from '../../src/kube/annotations.ts';

describe('annotations', () => {
  it.each([
    ['are read by our key', { 'config.kedge.io/opaque-ports': '1' }, { 'opaque-ports': '1' }],
    [
      'are read by the key of the contract',
      { 'config.linkerd.io/opaque-ports': '1' },
      { 'opaque-ports': '1' },
    ],
    [
      'are read by ours where both are there, whatever it says',
      { 'config.kedge.io/opaque-ports': '', 'config.linkerd.io/opaque-ports': '1' },
      { 'opaque-ports': '' },
    ],
    ['have inject without a prefix', { 'linkerd.io/inject': 'enabled' }, { inject: 'enabled' }],
    ['leave out what is none of ours', { 'config.linkerd.io/other': '1', 'opaque-ports': '1' }, {}],
  ])('%s', (_, annotations, expected) => {
    expect(annotationsOf({ annotations })).toEqual(expected);
  });

  it('may be missing altogether', () => {
    expect(annotationsOf({})).toEqual({});
  });
});
