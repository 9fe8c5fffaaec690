import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const main = join(import.meta.dirname, '..', '..', 'src', 'identity', 'main.ts');

describe('the identity process', () => {
  it('ends with 64 and one line for each problem when it cannot use its settings', () => {
    const { status, stderr } = spawnSync(process.execPath, [main], {
      encoding: 'utf8',
      env: {
        KEDGE_TRUST_ANCHORS_FILE: '/anchors.pem',
        KEDGE_ISSUER_LOCAL_DIR: '/issuer',
        KEDGE_TOKEN_ISSUER: 'https://tokens.example',
        KEDGE_TOKEN_JWKS_FILE: '/jwks.json',
        KEDGE_TOKEN_JWKS_URL: 'http://tokens.example/jwks',
        KEDGE_RATE_TOTAL: 'many',
      },
    });
    expect(status).toBe(64);
    expect(stderr.trim().split('\n')).toEqual([
      'KEDGE_RATE_TOTAL: expected an integer from 1 to 1000000, got "many"',
      'KEDGE_TOKEN_SUBJECTS_FILE: expected the path of a file or directory, got nothing',
      'KEDGE_TOKEN_JWKS_URL: expected either this or KEDGE_TOKEN_JWKS_FILE to be set, got both',
      'KEDGE_TOKEN_JWKS_URL: expected an https URL, a loopback address, or a host of KEDGE_TOKEN_JWKS_HTTP_HOSTS, got http to tokens.example',
    ]);
  });
});
