import { serviceAccountOf } from '../../../src/identity/token/service-account-user.ts';

describe('serviceAccountOf', () => {
  it.each([
    ['system:serviceaccount:shop:web', 'shop', 'web'],
    ['system:serviceaccount:shop:web.v1.example', 'shop', 'web.v1.example'],
  ])('reads %s', (username, namespace, serviceAccount) => {
    expect(serviceAccountOf(username)).toEqual({ namespace, serviceAccount });
  });

  it.each([
    'system:node:n-1',
    'system:serviceaccount:shop',
    'system:serviceaccount:shop:',
    'system:serviceaccount::web',
    'system:serviceaccount:shop:web:admin',
    'system:serviceaccount:sh.op:web',
    'system:serviceaccount:shop:Web',
    'system:serviceaccount:shop:web.',
    'oidc:system:serviceaccount:shop:web',
    'System:serviceaccount:shop:web',
    ' system:serviceaccount:shop:web',
    '',
  ])('takes "%s" for no ServiceAccount', (username) => {
    expect(serviceAccountOf(username)).toBeUndefined();
  });
});
