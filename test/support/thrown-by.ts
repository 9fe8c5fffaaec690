/** What a call throws, for the parts of an error beside its code and message. */
export function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('expected an error, got an answer');
}
