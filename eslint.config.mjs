import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Foreign packages and the one folder (or file) that may import each. */
const doors = [
  { packages: ['@peculiar/x509', 'reflect-metadata'], door: ['src/pki/x509.ts'] },
  { packages: ['@grpc/grpc-js', '@bufbuild/protobuf'], door: ['src/rpc/**'] },
  { packages: ['pino', 'prom-client'], door: ['src/runtime/**'] },
  { packages: ['@kubernetes/client-node'], door: ['src/kube/**'] },
  { packages: ['jose'], door: ['src/identity/token/**'] },
  { packages: ['yaml', 'ajv'], door: ['src/destination/file/**'] },
  { packages: ['commander'], door: ['src/cli/**'] },
];

/** The rule for one file set: every package whose door is not in `open` stays shut. */
const shut = (open) => ({
  'no-restricted-imports': [
    'error',
    {
      patterns: doors
        .filter((entry) => !open.includes(entry))
        .flatMap((entry) =>
          entry.packages.map((name) => ({
            group: [name, `${name}/*`],
            message: `only ${entry.door.join(', ')} may import it`,
          })),
        ),
    },
  ],
});

export default tseslint.config(
  { ignores: ['src/rpc/gen/**', 'dist/**', 'coverage/**', 'node_modules/**'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      ...shut([]),
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'settings are read in runtime/' },
        { object: 'process', property: 'exit', message: 'a process ends in runtime/lifecycle.ts' },
      ],
      'max-lines': ['error', { max: 250 }],
      'max-lines-per-function': ['error', { max: 60, skipComments: true, skipBlankLines: true }],
      complexity: ['error', 12],
    },
  },
  ...doors.map((entry) => ({
    files: entry.door,
    rules: shut(doors.filter((d) => d.door[0] === entry.door[0])),
  })),
  { files: ['src/runtime/**/*.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off', '@typescript-eslint/require-await': 'off' },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
);
