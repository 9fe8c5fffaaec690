import { readArguments } from './arguments.ts';
import { usualVersion } from './binaries/versions.ts';

describe('the arguments of npm run cluster', () => {
  it.each([
    { given: ['up'], means: { verb: 'up', version: usualVersion, node: true } },
    {
      given: ['up', '--api-only', '--version', '1.36'],
      means: { verb: 'up', version: '1.36.3', node: false },
    },
    { given: ['build', '--version', 'v1.33.13'], means: { verb: 'build', version: '1.33.13', node: true } },
    {
      given: ['kubectl', 'get', 'pods', '--help'],
      means: { verb: 'kubectl', args: ['get', 'pods', '--help'] },
    },
    { given: ['load-image', 'kedge'], means: { verb: 'load-image', image: 'kedge' } },
    { given: ['fetch-openbao'], means: { verb: 'fetch-openbao' } },
    { given: ['down'], means: { verb: 'down' } },
    { given: ['status', '--help'], means: { verb: 'help' } },
  ])('reads $given', ({ given, means }) => {
    expect(readArguments(given)).toEqual(means);
  });

  it.each([
    { given: [], says: 'expected a command, got none' },
    {
      given: ['on'],
      says: 'expected build, fetch-openbao, up, status, kubectl, helm, load-image or down, got "on"',
    },
    { given: ['up', '--version', '1.20'], says: /^expected a pinned Kubernetes version \(1\.33/ },
    { given: ['up', '--version', '1.36'], says: /--api-only/ },
    { given: ['load-image'], says: 'expected one image: kedge, or the file of an archive' },
    { given: ['up', 'now'], says: /now/ },
  ])('refuses $given', ({ given, says }) => {
    expect(() => readArguments(given)).toThrow(says);
  });
});
