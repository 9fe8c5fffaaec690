/** The version of `package.json`; a constant, so that a bundle needs no file beside it. */
export const version = '0.1.0';
