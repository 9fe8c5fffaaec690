import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { AppError, errorCatalogue, errorCode, errorMessage, isAppError } from '../../src/runtime/errors.ts';

const catalogue = errorCatalogue({
  jar_empty: { kind: 'resource_exhausted', help: 'Fill the jar.' },
});

const nodeError = (): unknown => {
  try {
    return readFileSync('/does/not/exist');
  } catch (error) {
    return error;
  }
};

describe('an error catalogue', () => {
  it('makes errors that carry their code, kind, cause and hint', () => {
    const cause = new Error('all eaten');
    const error = catalogue.error('jar_empty', 'expected a biscuit, got none', { cause, retryAfterMs: 250 });
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({
      code: 'jar_empty',
      kind: 'resource_exhausted',
      message: 'expected a biscuit, got none',
      retryAfterMs: 250,
      cause,
    });
  });

  it('leaves out a cause and a hint that were not given', () => {
    const error = catalogue.error('jar_empty', 'expected a biscuit');
    expect(error.retryAfterMs).toBeUndefined();
    expect('cause' in error).toBe(false);
  });

  it('refuses a code that is not in it', () => {
    // @ts-expect-error -- the type refuses it too
    expect(() => catalogue.error('jar_full', 'x')).toThrow('expected a code of the catalogue, got jar_full');
  });

  it('keeps its codes and their help for the documentation', () => {
    expect(catalogue.codes.jar_empty.help).toBe('Fill the jar.');
  });
});

describe('isAppError', () => {
  it('knows an error of ours that another realm made', () => {
    const foreign: unknown = runInContext(
      "Object.assign(new Error('x'), { code: 'jar_empty', kind: 'internal' })",
      createContext({}),
    );
    expect(isAppError(foreign)).toBe(true);
  });

  it.each([
    ['an error of Node', nodeError()],
    ['an object that only looks like one', { code: 'jar_empty', kind: 'internal', message: 'x' }],
    ['an error with an unknown kind', Object.assign(new Error('x'), { code: 'c', kind: 'odd' })],
    ['nothing', undefined],
  ])('does not take %s for one', (_, value) => {
    expect(isAppError(value)).toBe(false);
  });
});

describe('errorMessage', () => {
  it.each([
    ['an error', new Error('broken'), 'broken'],
    ['a text', 'broken', 'broken'],
    ['an error without a message', new TypeError(), 'TypeError'],
    [
      'a failed connect to many addresses',
      Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
      'ECONNREFUSED',
    ],
    ['null', null, 'a thrown null'],
    ['an object', { secret: 'x' }, 'a thrown object'],
  ])('reads %s', (_, value, message) => {
    expect(errorMessage(value)).toBe(message);
  });
});

describe('errorCode', () => {
  it('reads the code of an error of Node', () => {
    expect(errorCode(nodeError())).toBe('ENOENT');
  });

  it('is undefined for anything without one', () => {
    expect([new Error('x'), { code: 'x' }, null].map(errorCode)).toEqual([undefined, undefined, undefined]);
  });
});
