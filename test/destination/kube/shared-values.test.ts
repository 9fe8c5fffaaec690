import { SharedValues } from '../../../src/destination/kube/shared-values.ts';

describe('shared values', () => {
  it('are one object where they are equal', () => {
    const shared = new SharedValues();
    const first = shared.share({ app: 'web' });
    expect(shared.share({ app: 'web' })).toBe(first);
  });

  it('are not kept where they are long, which would hold on to whatever users once wrote', () => {
    const shared = new SharedValues();
    const long = () => ({ 'opaque-ports': '1,'.repeat(1000) });
    const first = shared.share(long());
    expect(shared.share(long())).not.toBe(first);
  });
});
